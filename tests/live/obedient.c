// Does what it is told, a letter and a number a line of its input, and says "done" after each:
// g N: getppid N times · n N: N opens of a file that is not there · s N: sleep N ms · l: loop with
// getppid in four threads until the input ends · o N: open and close /dev/null N times · k: die.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void* loop(void* unused) {
  for (;;) syscall(SYS_getppid);
  return unused;
}

// By bare calls: what is counted is what was asked for.
static long get(char* line, long size) {
  long n = 0;
  while (n < size - 1 && syscall(SYS_read, 0, line + n, 1) == 1)
    if (line[n++] == '\n') break;
  line[n] = 0;
  return n;
}

static void obey(char what, long n) {
  pthread_t thread;
  struct timespec time = {n / 1000, n % 1000 * 1000000};
  switch (what) {
    case 'g':
      while (n--) syscall(SYS_getppid);
      break;
    case 'n':
      while (n--) syscall(SYS_openat, AT_FDCWD, "/no/such/file", O_RDONLY);
      break;
    case 'o':
      while (n--) syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY));
      break;
    case 's': syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, 0); break;
    case 'l':
      for (int i = 0; i < 4; ++i) pthread_create(&thread, 0, loop, 0);
      break;
    case 'k': kill(getpid(), SIGKILL); break;
    default: break;
  }
}

int main(void) {
  char line[64];
  while (get(line, sizeof line)) {
    obey(line[0], strtol(line + 1, 0, 10));
    syscall(SYS_write, 1, "done\n", 5);
  }
  return 0;
}
