// Hazard 64: time through the vDSO stays right: it never runs backwards, agrees with the call
// itself, and a thread's clock counts only its own work.
#include <sched.h>
#include <sys/time.h>
#include <time.h>
#include "guest.h"

static long ns(const struct timespec* t) { return t->tv_sec * 1000000000l + t->tv_nsec; }

int main(void) {
  static const clockid_t clocks[] = {
      CLOCK_REALTIME,         CLOCK_MONOTONIC,         CLOCK_BOOTTIME,          CLOCK_MONOTONIC_RAW,
      CLOCK_MONOTONIC_COARSE, CLOCK_THREAD_CPUTIME_ID, CLOCK_PROCESS_CPUTIME_ID};
  for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
    int backwards = 0;
    struct timespec a, b, c;
    for (int j = 0; j < 2000; j++) {
      clock_gettime(clocks[i], &a);
      raw(SYS_clock_gettime, clocks[i], &b);
      clock_gettime(clocks[i], &c);
      backwards += ns(&a) > ns(&b) || ns(&b) > ns(&c);
    }
    say("clock %d: backwards %d", clocks[i], backwards);
  }
  struct timespec fine;
  struct timeval plain;
  clock_gettime(CLOCK_REALTIME, &fine);
  gettimeofday(&plain, NULL);
  say("gettimeofday agrees %d, time agrees %d", plain.tv_sec - fine.tv_sec <= 1,
      time(NULL) - fine.tv_sec <= 1);
  say("bad clock %d, errno %d", clock_gettime(999, &fine), errno);
  unsigned cpu = 9999, node = 9999;
  say("getcpu %d, cpu there %d, node there %d", getcpu(&cpu, &node), cpu < 4096, node < 1024);
  struct timespec before, after, pause = {0, 20000000};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  nanosleep(&pause, NULL);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  say("sleep costs no processor time %d", ns(&after) - ns(&before) < 10000000);
  return 0;
}
