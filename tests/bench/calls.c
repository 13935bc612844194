// What a call costs: `calls SECONDS THREADS [floor]` prints "name nanoseconds", each the third
// fastest of ten loops, with two threads their mean. `floor` makes the calls as the cheapest
// thinkable recorder would (floor.h). The first line, `probe`, is pure computing: a machine that
// others use shows there.
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "floor.h"

static int zero, null, polled;
static double loop_time;

struct own {  // of one thread
  struct floor floor;
  int pair[2], futex, processor;
  double result[16];
  char block[4096];
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void probe(struct own* o) {
  (void)o;
  volatile uint64_t sum = 0;
  for (int i = 0; i < 100; i++) sum += (uint64_t)i * 7;
}
static void call_getppid(struct own* o) { (void)o, getppid(); }
static void read_1(struct own* o) { (void)!read(zero, o->block, 1); }
static void read_4k(struct own* o) { (void)!read(zero, o->block, sizeof o->block); }
static void write_4k(struct own* o) { (void)!write(null, o->block, sizeof o->block); }
static void open_close(struct own* o) { (void)o, close(openat(AT_FDCWD, "/dev/null", O_RDONLY)); }
static void futex_wake(struct own* o) {
  syscall(SYS_futex, &o->futex, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}
static void wait_epoll(struct own* o) {
  (void)o;
  struct epoll_event events[8];
  epoll_wait(polled, events, 8, 0);
}
static void writev_8(struct own* o) {
  struct iovec v[8];
  for (int i = 0; i < 8; i++) v[i] = (struct iovec){o->block + 64 * i, 32};
  (void)!writev(null, v, 8);
}
static void send_receive(struct own* o) {
  struct iovec v = {o->block, 64};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
  sendmsg(o->pair[0], &m, 0);
  recvmsg(o->pair[1], &m, 0);
}
static void vdso_clock(struct own* o) {
  (void)o;
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
}

static void floor_getppid(struct own* o) { floor_call(&o->floor, SYS_getppid, 0, 0, 0); }
static void floor_read_1(struct own* o) {
  floor_call(&o->floor, SYS_read, zero, (long)o->block, 1);
  floor_bytes(&o->floor, o->block, 1);
}
static void floor_read_4k(struct own* o) {
  floor_call(&o->floor, SYS_read, zero, (long)o->block, sizeof o->block);
  floor_bytes(&o->floor, o->block, sizeof o->block);
}
static void floor_write_4k(struct own* o) {
  floor_call(&o->floor, SYS_write, null, (long)o->block, sizeof o->block);
  floor_bytes(&o->floor, o->block, sizeof o->block);
}

static const struct test {
  const char* name;
  void (*one)(struct own*);
  void (*floor)(struct own*);  // null: nothing to compare with
} tests[] = {{"probe", probe, probe},
             {"getppid", call_getppid, floor_getppid},
             {"read 1 B", read_1, floor_read_1},
             {"read 4 KiB", read_4k, floor_read_4k},
             {"write 4 KiB", write_4k, floor_write_4k},
             {"openat + close", open_close, 0},
             {"futex", futex_wake, 0},
             {"epoll_wait", wait_epoll, 0},
             {"writev of 8", writev_8, 0},
             {"sendmsg + recvmsg", send_receive, 0},
             {"vDSO clock_gettime", vdso_clock, 0}};
enum { count = sizeof tests / sizeof *tests, loops = 10 };

static int by_size(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

// Not the fastest: a loop without a drain of its ring would say too little.
static double cost(void (*one)(struct own*), struct own* own) {
  long turns = 1;
  for (double took = 0; took < loop_time / 2; turns *= 2) {
    double from = now();
    for (long i = 0; i < turns; i++) one(own);
    took = now() - from;
  }
  double each[loops];
  for (int i = 0; i < loops; i++) {
    double from = now();
    for (long j = 0; j < turns; j++) one(own);
    each[i] = (now() - from) / (double)turns;
  }
  qsort(each, loops, sizeof *each, by_size);
  return each[2];
}

static int on_floor;
static pthread_barrier_t together;

static void* run(void* argument) {
  struct own* own = argument;
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET((unsigned)own->processor, &here);
  sched_setaffinity(0, sizeof here, &here);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, own->pair) < 0) exit(1);
  if (on_floor) floor_open(&own->floor);
  for (int i = 0; i < count; i++) {
    void (*one)(struct own*) = on_floor ? tests[i].floor : tests[i].one;
    pthread_barrier_wait(&together);
    if (one) own->result[i] = cost(one, own);
  }
  return 0;
}

int main(int argc, char** argv) {
  static struct own own[2];
  loop_time = (argc > 1 ? atof(argv[1]) : 0.1) * 1e9 / count / (loops + 2);
  const int threads = argc > 2 && atoi(argv[2]) == 2 ? 2 : 1;
  const int processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
  on_floor = argc > 3 && !strcmp(argv[3], "floor");
  zero = open("/dev/zero", O_RDONLY);
  null = open("/dev/null", O_WRONLY);
  polled = epoll_create1(0);
  pthread_barrier_init(&together, 0, (unsigned)threads);
  pthread_t other;
  own[0].processor = processors - 1;
  own[1].processor = 0;
  if (threads == 2) pthread_create(&other, 0, run, &own[1]);
  run(&own[0]);
  if (threads == 2) pthread_join(other, 0);
  for (int i = 0; i < count; i++)
    if (own[0].result[i] > 0)
      printf("%s\t%.2f\n", tests[i].name,
             threads == 2 ? (own[0].result[i] + own[1].result[i]) / 2 : own[0].result[i]);
  return 0;
}
