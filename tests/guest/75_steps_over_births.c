// Hazard 75: a program that single-steps itself goes on over what closes its mask for a moment:
// births, and calls under which a signal waits. A step that finds SIGTRAP blocked would kill.
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include "guest.h"

enum { TF = 0x100 };

static inline unsigned long flags_now(void) {
  unsigned long flags;
  __asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
  return flags;
}
static inline void set_flags(unsigned long flags) {
  __asm__ volatile("pushq %0; popfq" ::"r"(flags) : "memory", "flags");
}
static inline void step(int on) {
  set_flags(on ? flags_now() | TF : flags_now() & ~(unsigned long)TF);
}

// No more than this many: under a slow tracer each may take longer than the next.
enum { ALARMS = 40 };
static volatile long steps, alarms;
static void on_step(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  steps++;
}
static void on_alarm(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  const struct itimerval never = {{0, 0}, {0, 0}};
  if (++alarms == ALARMS) setitimer(ITIMER_REAL, &never, NULL);
}

static void same_mask(const char* who, const sigset_t* before) {
  sigset_t now;
  must(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
  say("%s: mask %s", who, memcmp(&now, before, 8) == 0 ? "as it was" : "changed");
}

// How often the child was stepped before it said so: whether its steps go on is its parent's flag.
static void forks(long how) {
  sigset_t before;
  must(sigprocmask(SIG_BLOCK, NULL, &before) == 0);
  steps = 0;
  step(1);
  const long child = how == 0   ? raw(SYS_fork)
                     : how == 1 ? (long)fork()
                     : how == 2 ? raw(SYS_clone, SIGCHLD, 0, 0, 0, 0)
                                : raw(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
  const unsigned long flags = flags_now();
  if (child == 0) {
    if (how == 3) raw(SYS_exit, flags & TF ? 7 : 8);
    step(0);
    say("how %ld, child: steps %s, flag %s", how, steps > 0 ? "some" : "none",
        flags & TF ? "set" : "clear");
    same_mask("child", &before);
    _exit(0);
  }
  step(0);
  must(child > 0);
  int status = -1;
  must(waitpid((pid_t)child, &status, 0) == child);
  say("how %ld, parent: steps %s, flag %s, child %s", how, steps > 0 ? "some" : "none",
      flags & TF ? "set" : "clear", ended(status));
  same_mask("parent", &before);
}

static void* body(void* data) {
  step(0);
  return data;
}
static void threads(void) {
  pthread_t thread;
  void* result = NULL;
  sigset_t before;
  must(sigprocmask(SIG_BLOCK, NULL, &before) == 0);
  steps = 0;
  for (int i = 0; i < 5; i++) {
    // libc blocks all signals around a birth, and a step then kills: a clone of our own.
    static char stack[65536] __attribute__((aligned(16)));
    static int gone;
    gone = 1;
    step(1);
    long child;
    register long r10 __asm__("r10") = (long)&gone;
    register long r8 __asm__("r8") = 0;
    __asm__ volatile(
        "syscall\n\t"
        "test %%eax, %%eax\n\t"
        "jnz 1f\n\t"
        "nop\n\t"
        "mov $60, %%eax\n\t"
        "xor %%edi, %%edi\n\t"
        "syscall\n\t"
        "hlt\n"
        "1:"
        : "=a"(child)
        : "a"(SYS_clone),
          "D"(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
              CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID),
          "S"(stack + sizeof stack - 64), "d"(0), "r"(r10), "r"(r8)
        : "rcx", "r11", "memory");
    step(0);
    must(child > 0);
    while (__atomic_load_n(&gone, __ATOMIC_SEQ_CST)) usleep(500);
  }
  say("threads: steps %s", steps > 0 ? "some" : "none");
  same_mask("maker", &before);
  must(pthread_create(&thread, NULL, body, &thread) == 0);
  must(pthread_join(thread, &result) == 0 && result == &thread);
}

// A signal finds a call whose work it can't cut short: it waits, and steps go on meanwhile.
static void signals_meanwhile(void) {
  struct itimerval often = {{0, 700}, {0, 700}}, never = {{0, 0}, {0, 0}};
  handle(SIGALRM, on_alarm, 0);
  must(setitimer(ITIMER_REAL, &often, NULL) == 0);
  for (int round = 0; round < 12; round++) {
    struct sigaction old;
    stack_t stack;
    step(1);
    sigaction(SIGUSR1, NULL, &old);
    sigaltstack(NULL, &stack);
    void* page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page, 4096);
    step(0);
  }
  must(setitimer(ITIMER_REAL, &never, NULL) == 0);
  say("signals meanwhile: steps %s, alarms %s", steps > 200 ? "many" : "few",
      alarms > 0 ? "some" : "none");
}

int main(void) {
  handle(SIGTRAP, on_step, 0);
  for (long how = 0; how < 4; how++) forks(how);
  threads();
  signals_meanwhile();
  return 0;
}
