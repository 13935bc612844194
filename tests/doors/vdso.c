// The clock's functions, a hundred times each, through the vDSO. What is printed is the same with
// and without a recorder.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

static volatile long ticks;
static void on_tick(int signal) { ticks += signal == SIGALRM; }

int main(void) {
  long right[6] = {0};
  struct timespec now, before = {0, 0}, resolution;
  struct timeval day;
  const struct itimerval often = {{0, 200}, {0, 200}};
  signal(SIGALRM, on_tick);
  setitimer(ITIMER_REAL, &often, NULL);
  for (int i = 0; i < 100; i++) {
    right[0] += clock_gettime(CLOCK_MONOTONIC, &now) == 0 &&
                (now.tv_sec > before.tv_sec ||
                 (now.tv_sec == before.tv_sec && now.tv_nsec >= before.tv_nsec));
    before = now;
    right[1] += gettimeofday(&day, NULL) == 0 && day.tv_sec > 1700000000;
    time_t seconds, returned = time(&seconds);
    right[2] += seconds == returned && seconds - day.tv_sec <= 1 && seconds - day.tv_sec >= -1;
    unsigned cpu = ~0u, node = ~0u;
    right[3] += getcpu(&cpu, &node) == 0 && cpu < 4096 && node < 1024;
    right[4] += clock_getres(CLOCK_MONOTONIC, &resolution) == 0 && resolution.tv_nsec > 0;
    right[5] += clock_gettime(12345, &now) == -1 && errno == EINVAL;
  }
  while (!ticks) time(NULL);
  for (int i = 0; i < 6; i++) printf("%ld\n", right[i]);
  return 0;
}
