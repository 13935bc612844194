// frames DEPTH: what a getppid costs so many functions deep, in ns: the best of many short rounds,
// so that what else the machine does is not in it.
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { rounds = 400, calls = 300 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

__attribute__((noinline)) static double measure(void) {
  volatile long sum = 0;
  double best = 1e18;
  for (int round = 0; round < rounds; ++round) {
    const double began = now();
    for (int n = 0; n < calls; ++n) sum += syscall(SYS_getppid);
    const double spent = (now() - began) / calls;
    if (spent < best) best = spent;
  }
  return best;
}

__attribute__((noinline)) static double down(int deep) {
  volatile int here = deep;
  const double spent = here ? down(here - 1) : measure();
  return spent + 0 * here;  // no tail call
}

int main(int argc, char** argv) {
  printf("%.2f\n", down(argc > 1 ? atoi(argv[1]) : 0));
  return 0;
}
