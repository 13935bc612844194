// Clocks and timers, signals, and waiting for descriptors.
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "canary.h"

static void case_gettimeofday(void) {
  may(place(1), 16);
  may(place(2), 8);
  call(SYS_gettimeofday, place(1), place(2));
}
static void case_time(void) {
  may(place(1), 8);
  call(SYS_time, place(1));
}
static void case_clock_gettime(void) {
  may(place(1), 16);
  call(SYS_clock_gettime, (long)CLOCK_MONOTONIC, place(1));
}
static void case_clock_gettime_fails(void) { call(SYS_clock_gettime, 99L, place(1)); }
static void case_clock_getres(void) {
  may(place(1), 16);
  call(SYS_clock_getres, (long)CLOCK_REALTIME, place(1));
}
static void case_times(void) {
  may(place(1), sizeof(struct tms));
  call(SYS_times, place(1));
}
static void case_getrusage(void) {
  may(place(1), sizeof(struct rusage));
  call(SYS_getrusage, (long)RUSAGE_SELF, place(1));
}
static void case_adjtimex(void) {
  memset(place(1), 0, sizeof(struct timex));
  may(place(1), sizeof(struct timex));
  call(SYS_adjtimex, place(1));
}
static void case_clock_adjtime(void) {
  memset(place(1), 0, sizeof(struct timex));
  may(place(1), sizeof(struct timex));
  call(SYS_clock_adjtime, (long)CLOCK_REALTIME, place(1));
}
static void case_sysinfo(void) {
  may(place(1), sizeof(struct sysinfo));
  call(SYS_sysinfo, place(1));
}
static void case_uname(void) {
  may(place(1), sizeof(struct utsname));
  call(SYS_uname, place(1));
}
static void case_getitimer(void) {
  may(place(1), 32);
  call(SYS_getitimer, (long)ITIMER_VIRTUAL, place(1));
}
static void case_setitimer(void) {
  memset(place(1), 0, 32);
  may(place(2), 32);
  call(SYS_setitimer, (long)ITIMER_VIRTUAL, place(1), place(2));
}
static void case_timer_create(void) {
  struct sigevent* event = place(1);
  memset(event, 0, sizeof *event);
  event->sigev_notify = SIGEV_NONE;
  may(place(2), 4);
  if (call(SYS_timer_create, (long)CLOCK_MONOTONIC, event, place(2)) == 0)
    syscall(SYS_timer_delete, *(int*)place(2));
}
static int timer(void) {
  struct sigevent event = {.sigev_notify = SIGEV_NONE};
  int id = 0;
  syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
  return id;
}
static void case_timer_gettime(void) {
  const int id = timer();
  may(place(1), 32);
  call(SYS_timer_gettime, id, place(1));
  syscall(SYS_timer_delete, id);
}
static void case_timer_settime(void) {
  const int id = timer();
  memset(place(1), 0, 32);
  ((long*)place(1))[2] = 1000;
  may(place(2), 32);
  call(SYS_timer_settime, id, 0L, place(1), place(2));
  syscall(SYS_timer_delete, id);
}
static void case_timerfd_gettime(void) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  may(place(1), 32);
  call(SYS_timerfd_gettime, fd, place(1));
  close(fd);
}
static void case_timerfd_settime(void) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  memset(place(1), 0, 32);
  may(place(2), 32);
  call(SYS_timerfd_settime, fd, 0L, place(1), place(2));
  close(fd);
}

static void on_alarm(int number) { (void)number; }
static void interrupted(long number, long a, long b, long c, long d, void* rest) {
  const struct sigaction act = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &act, 0);
  const struct itimerval soon = {.it_value = {0, 30000}};
  setitimer(ITIMER_REAL, &soon, 0);
  may(rest, 16);
  call(number, a, b, c, d);
}
static void case_nanosleep(void) {
  long* wish = place(1);
  wish[0] = 5, wish[1] = 0;
  interrupted(SYS_nanosleep, (long)wish, (long)place(2), 0, 0, place(2));
}
static void case_clock_nanosleep(void) {
  long* wish = place(1);
  wish[0] = 5, wish[1] = 0;
  interrupted(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)wish, (long)place(2), place(2));
}

// --- signals
static void case_rt_sigaction(void) {
  may(place(1), 32);
  call(SYS_rt_sigaction, (long)SIGUSR1, 0L, place(1), 8L);
}
static void case_rt_sigprocmask(void) {
  *(uint64_t*)place(1) = 1 << 9;
  may(place(2), 8);
  call(SYS_rt_sigprocmask, (long)SIG_BLOCK, place(1), place(2), 8L);
}
static void case_rt_sigpending(void) {
  may(place(1), 8);
  call(SYS_rt_sigpending, place(1), 8L);
}
static void case_rt_sigtimedwait(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, 0);
  raise(SIGUSR2);
  *(uint64_t*)place(1) = 1ull << (SIGUSR2 - 1);
  may(place(2), 128);
  call(SYS_rt_sigtimedwait, place(1), place(2), 0L, 8L);
}
static void case_sigaltstack(void) {
  may(place(1), 24);
  call(SYS_sigaltstack, 0L, place(1));
}

// --- waiting
static int ready(void) { return eventfd(1, 0); }
static struct pollfd* two_to_poll(int fd) {
  struct pollfd* polls = place(1);
  polls[0] = (struct pollfd){.fd = fd, .events = POLLIN};
  polls[1] = (struct pollfd){.fd = -1, .events = POLLIN};
  polls[0].revents = polls[1].revents = 0x7a7a;
  may(polls, 2 * sizeof *polls);
  return polls;
}
static void case_poll(void) {
  const int fd = ready();
  call(SYS_poll, two_to_poll(fd), 2L, 100L);
  close(fd);
}
static void case_ppoll(void) {
  const int fd = ready();
  long* most = place(2);
  most[0] = 1, most[1] = 0;
  may(most, 16);
  call(SYS_ppoll, two_to_poll(fd), 2L, most, 0L, 8L);
  close(fd);
}
static void set_one(void* set, int fd) {
  memset(set, 0, 128);
  ((uint8_t*)set)[fd / 8] = (uint8_t)(1 << fd % 8);
}
static void select_cases(long number) {
  const int fd = ready();
  set_one(place(1), fd), set_one(place(2), fd), set_one(place(3), fd);
  for (int n = 1; n < 4; ++n) may(place(n), 8);
  long* most = place(4);
  most[0] = 1, most[1] = 0;
  may(most, 16);
  call(number, fd + 1, place(1), place(2), place(3), most, 0L);
  close(fd);
}
static void case_select(void) { select_cases(SYS_select); }
static void case_pselect6(void) { select_cases(SYS_pselect6); }
static void wait_cases(long number) {
  const int poll = epoll_create1(0), fd = ready();
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data = {.u64 = 0x1122334455667788}};
  epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  may(place(1), 3 * 12);
  if (number == SYS_epoll_pwait2) {
    long* most = place(2);
    most[0] = 1, most[1] = 0;
    call(number, poll, place(1), 3L, most, 0L, 8L);
  } else {
    call(number, poll, place(1), 3L, 100L, 0L, 8L);
  }
  close(poll), close(fd);
}
static void case_epoll_wait(void) { wait_cases(SYS_epoll_wait); }
static void case_epoll_pwait(void) { wait_cases(SYS_epoll_pwait); }
static void case_epoll_pwait2(void) { wait_cases(SYS_epoll_pwait2); }
static void case_io_getevents(void) {
  long id = 0;
  if (syscall(SYS_io_setup, 4, &id)) return leave_out("no asynchronous reads here");
  long* most = place(2);
  most[0] = 0, most[1] = 1000;
  may(place(1), 4 * 32);
  call(SYS_io_getevents, id, 0L, 4L, place(1), most);
  syscall(SYS_io_destroy, id);
}
static void case_io_setup(void) {
  *(long*)place(1) = 0;
  may(place(1), 8);
  if (call(SYS_io_setup, 4L, place(1)) == 0) syscall(SYS_io_destroy, *(long*)place(1));
}

#define CASE(name) \
  { #name, case_##name }
const struct Named time_cases[] = {
    CASE(gettimeofday),
    CASE(time),
    CASE(clock_gettime),
    CASE(clock_gettime_fails),
    CASE(clock_getres),
    CASE(times),
    CASE(getrusage),
    CASE(adjtimex),
    CASE(clock_adjtime),
    CASE(sysinfo),
    CASE(uname),
    CASE(getitimer),
    CASE(setitimer),
    CASE(timer_create),
    CASE(timer_gettime),
    CASE(timer_settime),
    CASE(timerfd_gettime),
    CASE(timerfd_settime),
    CASE(nanosleep),
    CASE(clock_nanosleep),
    CASE(rt_sigaction),
    CASE(rt_sigprocmask),
    CASE(rt_sigpending),
    CASE(rt_sigtimedwait),
    CASE(sigaltstack),
    CASE(poll),
    CASE(ppoll),
    CASE(select),
    CASE(pselect6),
    CASE(epoll_wait),
    CASE(epoll_pwait),
    CASE(epoll_pwait2),
    CASE(io_setup),
    CASE(io_getevents),
    {0, 0},
};
