#include "say.h"

#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

int main(void) {
  struct timespec t = {0, 1000}, rest;
  say(syscall(SYS_nanosleep, &t, &rest), "nanosleep({tv_sec=0, tv_nsec=1000}, %p)", (void*)&rest);
  say(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL),
      "clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, {tv_sec=0, tv_nsec=1000}, NULL)");
  t.tv_nsec = -1;
  say(syscall(SYS_nanosleep, &t, NULL),
      "nanosleep({tv_sec=0, tv_nsec=18446744073709551615}, NULL)");
  say(syscall(SYS_clock_getres, 99, &t), "clock_getres(0x63 /* CLOCK_??? */, %p)", (void*)&t);
  struct itimerval off = {{0, 0}, {0, 0}}, was;
  say(syscall(SYS_setitimer, ITIMER_PROF, &off, &was),
      "setitimer(ITIMER_PROF, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=0}}, "
      "{it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=0}})");
  const long fd = syscall(SYS_timerfd_create, CLOCK_BOOTTIME, TFD_NONBLOCK);
  say(fd, "timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK)");
  struct itimerspec timer = {{1, 2}, {0, 0}};
  say(syscall(SYS_timerfd_settime, fd, 0, &timer, NULL),
      "timerfd_settime(%ld, 0, {it_interval={tv_sec=1, tv_nsec=2}, it_value={tv_sec=0, "
      "tv_nsec=0}}, NULL)",
      fd);
  return 0;
}
