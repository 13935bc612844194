// Threads that come by no door: each calls by one instruction that no function bounds tell of, or
// is libc's read(), and counts what it does: lseek(-1, N), or read(FD, …, N). In between they sleep
// in the kernel in several ways, and look at what comes of it. Obeys lines: c: says how many each
// has begun, "NAME TID COUNT" a line and then a dot · e: of whom how many calls ended
// otherwise than they should · h, g: what paces them stops and goes on · q: ends.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Without .cfi directives: nothing proves where its instructions begin.
long bare_call(long number, long a, long b, long c, long d);
__asm__(
    ".text\n.type bare_call, @function\nbare_call:\n"
    "  mov %rdi, %rax\n  mov %rsi, %rdi\n  mov %rdx, %rsi\n  mov %rcx, %rdx\n  mov %r8, %r10\n"
    "  syscall\n  ret\n.size bare_call, .-bare_call\n");

enum { kinds = 7, most = 1 << 20 };
static const char* const names[kinds] = {"reads", "spins",  "sleeps", "polls",
                                         "waits", "epolls", "raw"};
static struct {
  _Atomic long count;
  _Atomic int tid, wrong;
  char apart[48];
} threads[kinds];
static _Atomic int go, word, held;
static int ends[2];
static char buffer[most];

static void expect(int kind, int right) {
  if (!right) ++threads[kind].wrong;
}

static void count(int kind) {
  const long n = ++threads[kind].count;
  expect(kind, bare_call(SYS_lseek, -1, n, SEEK_SET, 0) == -EBADF);
}

static long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000 + now.tv_nsec;
}

static void wait_for_go(int kind) {
  while (!(go & 1 << kind)) __builtin_ia32_pause();
  go &= ~(1 << kind);
}

static void* reads(void* place) {
  threads[0].tid = (int)syscall(SYS_gettid);
  for (;;) expect(0, read(ends[0], buffer, (size_t)++threads[0].count % most) > 0);
  return place;
}

static void* spins(void* place) {
  threads[1].tid = (int)syscall(SYS_gettid);
  for (;; count(1)) wait_for_go(1);
  return place;
}

// Exactly as long as it says: 20 ms.
static void* sleeps(void* place) {
  threads[2].tid = (int)syscall(SYS_gettid);
  for (;; count(2)) {
    struct timespec time = {0, 20000000};
    const long begin = now_ns();
    expect(2, bare_call(SYS_nanosleep, (long)&time, 0, 0, 0) == 0);
    expect(2, now_ns() - begin >= 20000000);
  }
  return place;
}

static void* polls(void* place) {
  threads[3].tid = (int)syscall(SYS_gettid);
  for (;; count(3)) {
    const long begin = now_ns();
    expect(3, bare_call(SYS_poll, 0, 0, 20, 0) == 0);
    expect(3, now_ns() - begin >= 20000000);
  }
  return place;
}

static void* waits(void* place) {
  threads[4].tid = (int)syscall(SYS_gettid);
  for (;; count(4)) {
    const long is = bare_call(SYS_futex, (long)&word, FUTEX_WAIT_PRIVATE, word, 0);
    expect(4, is == 0 || is == -EAGAIN);
  }
  return place;
}

// What a stop would make longer, once it has begun.
static void* epolls(void* place) {
  const int nothing = epoll_create1(0);
  struct epoll_event event;
  threads[5].tid = (int)syscall(SYS_gettid);
  for (;; count(5)) {
    const long begin = now_ns();
    expect(5, bare_call(SYS_epoll_wait, nothing, (long)&event, 1, 1000) == 0);
    expect(5, now_ns() - begin >= 1000000000 && now_ns() - begin < 1900000000);
  }
  return place;
}

// No thread of libc's: a stack and nothing else of its own.
static int raw(void* place) {
  threads[6].tid = (int)bare_call(SYS_gettid, 0, 0, 0, 0);
  for (;; count(6)) {
    struct timespec time = {0, 3000000};
    expect(6, bare_call(SYS_nanosleep, (long)&time, 0, 0, 0) == 0);
  }
  return place != 0;
}

static void* paces(void* place) {
  for (;; usleep(1000)) {
    if (held) continue;
    go = 1 << 1;
    ++word;
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
    if (write(ends[1], "x", 1) != 1) return place;
  }
}

// One thread, which sleeps in three ways for four seconds each: how that has ended, a line each.
static int alone(void) {
  puts("ready");
  for (int kind = 0; kind < 3; ++kind) {
    printf("%d\n", kind);
    fflush(stdout);
    struct timespec time = {4, 0};
    const long begin = now_ns();
    const long is = kind == 0   ? syscall(SYS_nanosleep, &time, 0)
                    : kind == 1 ? poll(0, 0, 4000)
                                : syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time);
    const int error = is < 0 ? errno : 0;
    printf("%ld %d %ld\n", is, error, (now_ns() - begin) / 1000000);
  }
  fflush(stdout);
  return 0;
}

// A thread that a handler takes out of a call by a jump, which makes none. b: it blocks · j: it is
// taken out · l: it calls lseek five times.
static jmp_buf out;
static _Atomic int jumped, jumper, calls;
static void jump(int signo) {
  (void)signo;
  longjmp(out, 1);
}

static void* jumps(void* place) {
  jumper = (int)syscall(SYS_gettid);
  if (!_setjmp(out)) read(ends[0], buffer, 1);
  jumped = 1;
  for (;;)
    if (calls) {
      for (int i = 0; i < 5; ++i) syscall(SYS_lseek, -1, 1000 + i, SEEK_SET);
      calls = 0;
    }
  return place;
}

static int jumping(void) {
  const struct sigaction action = {.sa_handler = jump, .sa_flags = SA_NODEFER};
  char line[64];
  pthread_t thread;
  if (pipe(ends) || sigaction(SIGUSR1, &action, 0)) return 1;
  setvbuf(stdin, 0, _IONBF, 0);
  for (puts("ready"); fflush(stdout), fgets(line, sizeof line, stdin); puts("done")) {
    if (line[0] == 'b' && pthread_create(&thread, 0, jumps, 0)) return 1;
    if (line[0] == 'b') usleep(50000);
    if (line[0] == 'j') syscall(SYS_tgkill, getpid(), jumper, SIGUSR1);
    while (line[0] == 'j' && !jumped) usleep(1000);
    for (calls = line[0] == 'l'; calls;) usleep(1000);
  }
  _exit(0);
}

int main(int argc, char** argv) {
  if (argc > 1 && !strcmp(argv[1], "jumping")) return jumping();
  if (argc > 1 && !strcmp(argv[1], "alone")) return alone();
  void* (*const run[])(void*) = {reads, spins, sleeps, polls, waits, epolls, paces};
  char line[64];
  if (pipe(ends)) return 1;
  for (int i = 0; i < 7; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, 0, run[i], 0)) return 1;
  }
  char* stack = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  clone(raw, stack + 65536,
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, 0);
  for (int i = 0; i < kinds; ++i)
    while (!threads[i].tid) usleep(1000);
  setvbuf(stdin, 0, _IONBF, 0);
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) && line[0] != 'q') {
    if (line[0] == 'h' || line[0] == 'g') {
      held = line[0] == 'h';
      usleep(5000);
    }
    if (line[0] == 'c')
      for (int i = 0; i < kinds; ++i)
        printf("%s %d %ld\n", names[i], threads[i].tid, (long)threads[i].count);
    for (int i = 0; line[0] == 'e' && i < kinds; ++i)
      if (threads[i].wrong) printf("%s %d\n", names[i], threads[i].wrong);
    puts(".");
    fflush(stdout);
  }
  _exit(0);
}
