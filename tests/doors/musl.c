// A program for musl's loader: threads, a child, an exec of itself, its environment.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

static void* work(void* number) {
  char line[64];
  const int n = snprintf(line, sizeof line, "thread %ld\n", (long)number);
  return write(1, line, (size_t)n) == n ? number : NULL;
}

int main(int argc, char** argv) {
  if (argc > 1) return printf("again %s\n", argv[1]) < 0;
  for (long i = 1; i < 4; ++i) {
    pthread_t thread;
    void* result = NULL;
    if (pthread_create(&thread, NULL, work, (void*)i) || pthread_join(thread, &result)) return 2;
    if (result != (void*)i) return 3;
  }
  int count = 0;
  for (char** entry = environ; *entry; ++entry) count += strncmp(*entry, "LD_PRELOAD=", 11) != 0;
  printf("%d variables\n", count);
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    execl(argv[0], argv[0], "as a child", NULL);
    _exit(9);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 4;
  printf("child %d\n", status);
  return 5;
}
