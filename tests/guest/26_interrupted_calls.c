// Hazard 26: calls that a signal interrupts: EINTR or begun again, what is left of a sleep, a short
// write, and a stop and continue, which no program may notice.
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <time.h>
#include "guest.h"

static volatile int handled;
static void count(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  getppid();
  handled++;
}

static int pipes[2];
struct Poke {
  pthread_t whom;
  pid_t tid;
  long nr;
  int times;
  int then_write;
};

static void* poke(void* data) {
  struct Poke* job = data;
  for (int i = 0; i < job->times; i++) {
    int before = handled;
    wait_until_blocked(getpid(), job->tid, job->nr);
    pthread_kill(job->whom, SIGUSR1);
    while (handled == before) usleep(100);
  }
  if (job->then_write) {
    wait_until_blocked(getpid(), job->tid, job->nr);
    must(write(pipes[1], "x", 1) == 1);
  }
  return NULL;
}

static long sleep_left(void) {
  struct timespec want = {1000, 0}, left = {-1, -1};
  long result = nanosleep(&want, &left);
  return result == -1 && errno == EINTR && left.tv_sec >= 990 && left.tv_sec <= 1000;
}
static long raw_sleep(void) {
  struct timespec want = {1000, 0}, left = {-1, -1};
  return raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &want, &left) == -EINTR && left.tv_sec >= 990;
}
static long read_pipe(void) {
  char byte;
  errno = 0;
  long n = read(pipes[0], &byte, 1);
  return n < 0 ? -errno : n;
}
static long raw_read(void) {
  char byte;
  return raw(SYS_read, pipes[0], &byte, 1);
}
static long poll_pipe(void) {
  struct pollfd p = {pipes[0], POLLIN, 0};
  long n = poll(&p, 1, 100000);
  return n < 0 ? -errno : n;
}
static long epoll_pipe(void) {
  int epoll = epoll_create1(0);
  struct epoll_event event = {EPOLLIN, {0}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &event);
  long n = epoll_wait(epoll, &event, 1, -1);
  n = n < 0 ? -errno : n;
  close(epoll);
  return n;
}
static int word = 1;
static long futex_wait(void) { return raw(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL); }
static long futex_timed(void) {
  struct timespec t = {1000, 0};
  return raw(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, &t);
}
static long suspended(void) {
  sigset_t none;
  sigemptyset(&none);
  return sigsuspend(&none) == -1 && errno == EINTR;
}
static long short_write(void) {
  static char large[1 << 20];
  int out[2];
  must(pipe(out) == 0);
  fcntl(out[1], F_SETPIPE_SZ, 65536);
  long n = write(out[1], large, sizeof large);
  close(out[0]);
  close(out[1]);
  return n;
}

static void try_call(const char* name, long (*call)(void), long nr, int flags, int times,
                     int then_write) {
  handle(SIGUSR1, count, flags);
  handled = 0;
  struct Poke job = {pthread_self(), gettid(), nr, times, then_write};
  pthread_t thread;
  must(pthread_create(&thread, NULL, poke, &job) == 0);
  long result = call();
  pthread_join(thread, NULL);
  char byte;
  fcntl(pipes[0], F_SETFL, O_NONBLOCK);
  while (read(pipes[0], &byte, 1) == 1) {
  }
  fcntl(pipes[0], F_SETFL, 0);
  say("%s%s: %ld, handled %d", name, flags ? ", restarting" : "", result, handled);
}

static void stopped_and_continued(void) {
  pid_t pid = fork();
  if (pid == 0) {
    struct timespec want = {0, 300000000};
    int result = nanosleep(&want, NULL);
    struct pollfd p = {pipes[0], POLLIN, 0};
    int polled = poll(&p, 1, 200);
    char byte;
    _exit(result == 0 && polled == 0 && read(pipes[0], &byte, 1) == 1 ? 17 : 18);
  }
  for (int i = 0; i < 3; i++) {
    wait_until_blocked(pid, pid, i == 2 ? SYS_read : -1);
    kill(pid, SIGSTOP);
    must(waitpid(pid, NULL, WUNTRACED) == pid);
    kill(pid, SIGCONT);
    must(waitpid(pid, NULL, WCONTINUED) == pid);
  }
  must(write(pipes[1], "y", 1) == 1);
  int status;
  waitpid(pid, &status, 0);
  say("stopped and continued: %s", ended(status));
}

int main(void) {
  must(pipe(pipes) == 0);
  for (int round = 0; round < 3; round++) {
    try_call("nanosleep", sleep_left, SYS_clock_nanosleep, 0, 1, 0);
    try_call("clock_nanosleep", raw_sleep, SYS_clock_nanosleep, SA_RESTART, 1, 0);
    try_call("read", read_pipe, SYS_read, 0, 1, 0);
    try_call("read", read_pipe, SYS_read, SA_RESTART, 5, 1);
    try_call("raw read", raw_read, SYS_read, 0, 1, 0);
    try_call("raw read", raw_read, SYS_read, SA_RESTART, 5, 1);
    try_call("poll", poll_pipe, SYS_poll, SA_RESTART, 1, 0);
    try_call("epoll_wait", epoll_pipe, SYS_epoll_wait, SA_RESTART, 1, 0);
    try_call("futex", futex_wait, SYS_futex, 0, 1, 0);
    try_call("futex, timed", futex_timed, SYS_futex, 0, 1, 0);
    try_call("sigsuspend", suspended, SYS_rt_sigsuspend, SA_RESTART, 1, 0);
    try_call("write", short_write, SYS_write, SA_RESTART, 1, 0);
    stopped_and_continued();
  }
  return 0;
}
