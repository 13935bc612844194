// What a debugger is let loose on: a thread blocked in read, functions to call in it, calls to stop
// at, a child and a second thread.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int handled;
static void on_usr(int number) { handled += number; }

int called(int value) {
  signal(SIGUSR1, on_usr);
  raise(SIGUSR1);
  char* memory = malloc((size_t)value * 100000);
  const int alive = memory != NULL && getpid() != getppid();
  free(memory);
  return alive ? value + handled : -1;
}

__attribute__((noinline)) static int block(void) {
  char byte = 0;
  const long n = read(0, &byte, 1);
  return n == 1 ? byte : (int)n;
}

static void* in_thread(void* unused) {
  (void)unused;
  return (void*)(long)block();
}

int main(void) {
  if (write(1, "!", 1) != 1) return 1;
  for (int i = 0; i < 3; i++) {
    const pid_t pid = fork();
    if (pid == 0) _exit(i);
    const int first = block();
    int status;
    if (waitpid(pid, &status, 0) != pid) return 2;
    pthread_t thread;
    void* result;
    if (pthread_create(&thread, NULL, in_thread, NULL) != 0) return 3;
    pthread_join(thread, &result);
    printf("%d %ld %d\n", first, (long)result, WEXITSTATUS(status));
    fflush(stdout);
  }
  printf("handled %d\n", handled);
  return called(3);
}
