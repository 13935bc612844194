// Two programs with threads, for the test of completeness: `threads pool` and `threads signals`.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int pipes[2];
static void* work(void* data) {
  char byte;
  for (int i = 0; i < 500; i++) {
    syscall(SYS_gettid);
    (void)!write(pipes[1], data, 1);
    (void)!read(pipes[0], &byte, 1);
    if (i % 100 == 0) close(-1);
  }
  return NULL;
}
static void handler(int number) {
  (void)number;
  getppid();
}
static void* interrupted(void* data) {
  (void)data;
  for (int i = 0; i < 300; i++) getppid(), kill(getpid(), SIGUSR1), usleep(10);
  return NULL;
}

int main(int argc, char** argv) {
  pthread_t threads[6];
  int pool = argc > 1 && !strcmp(argv[1], "pool");
  signal(SIGUSR1, handler);
  if (pipe(pipes)) return 1;
  for (int i = 0; i < 6; i++) pthread_create(&threads[i], NULL, pool ? work : interrupted, "x");
  for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
  puts("done");
  return 0;
}
