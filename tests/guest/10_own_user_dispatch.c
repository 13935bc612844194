// Hazard 10: the program uses Syscall User Dispatch itself, as Wine does.
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "guest.h"

#define DISPATCH 59
enum { OFF, ON, INCLUSIVE_ON };

static volatile char selector;
static volatile long seen, number_seen;
static volatile int code, arch, where_right, fixed_up = 1;
static volatile long rcx_right, flags_right, stack_right;
extern char site[], int80_site[];
static char* expected = site;

static long dispatch(int mode, long offset, long length, const volatile char* byte) {
  return raw(SYS_prctl, DISPATCH, mode, offset, length, byte);
}

static void on_sys(int number, siginfo_t* info, void* context) {
  (void)number;
  ucontext_t* at = context;
  selector = 0;
  seen++;
  number_seen = info->si_syscall;
  code = info->si_code;
  arch = info->si_arch;
  greg_t* regs = at->uc_mcontext.gregs;
  where_right = info->si_call_addr == expected + 2 && regs[REG_RIP] == (long)(expected + 2);
  rcx_right = regs[REG_RCX] == regs[REG_RIP];
  flags_right = (regs[REG_R11] & 0x8d5) == (regs[REG_EFL] & 0x8d5);
  if (fixed_up) regs[REG_RAX] = 4242;
}

// Six arguments, all other registers told apart: what the handler was shown, and what came back.
__attribute__((noinline)) static long dispatched(long nr) {
  long result;
  register long r10 __asm__("r10") = 4, r8 __asm__("r8") = 5, r9 __asm__("r9") = 6;
  selector = 1;
  __asm__ volatile(".globl site\nsite: syscall"
                   : "=a"(result), "+r"(r10), "+r"(r8), "+r"(r9)
                   : "a"(nr), "D"(1), "S"(2), "d"(3)
                   : "rcx", "r11", "memory");
  selector = 0;
  stack_right = r10 == 4 && r8 == 5 && r9 == 6;
  return result;
}

__attribute__((noinline)) static int dispatched_int80(int nr) {
  int result;
  selector = 1;
  __asm__ volatile(".globl int80_site\nint80_site: int $0x80"
                   : "=a"(result)
                   : "a"(nr)
                   : "r8", "r9", "r10", "r11", "memory");
  selector = 0;
  return result;
}

static void shown(const char* what, long result) {
  say("%s: %ld, number %ld, code %d, arch %x, where %d, rcx %ld, r11 %ld, kept %ld", what, result,
      number_seen, code, arch, where_right, rcx_right, flags_right, stack_right);
}

static void with_dispatch(void) {
  handle(SIGSYS, on_sys, 0);
  say("on %ld", dispatch(ON, 0, 0, &selector));
  for (int i = 0; i < 3; i++) shown("result", dispatched(1000 + i));
  shown("a call that there is", dispatched(SYS_getppid));
  shown("high bits", dispatched(0x7700000000000000 | SYS_getpid));
  fixed_up = 0;
  say("as it was: %lx", dispatched(0x7700000000000000 | SYS_getpid));
  say("minus four: %ld", dispatched(-4));
  fixed_up = 1;
  expected = int80_site;
  const int by_int80 = dispatched_int80(20);
  say("int80: %d, number %ld, code %d, arch %x, where %d", by_int80, number_seen, code, arch,
      where_right);
  expected = site;
  pid_t pid = fork();
  if (pid == 0) _exit(dispatched(SYS_getppid) > 0 && number_seen == 20 ? 5 : 6);
  int status;
  waitpid(pid, &status, 0);
  say("off in a fork child: %s", ended(status));
  pid = vfork();
  if (pid == 0) _exit(dispatched(SYS_getpid) == 4242 ? 6 : 5);
  waitpid(pid, &status, 0);
  say("off in a vfork child: %s", ended(status));
  shown("on in their parent", dispatched(7));
  say("off %ld, call %d", dispatch(OFF, 0, 0, 0), raw(SYS_getppid) == getppid());
  say("then %d", dispatched(SYS_getppid) == getppid());
}

// What libc calls is sent back too, doors and all.
static void of_libc(void) {
  handle(SIGSYS, on_sys, 0);
  must(dispatch(ON, 0, 0, &selector) == 0);
  for (int i = 0; i < 3; i++) {
    selector = 1;
    long result = getppid();
    say("getppid %ld, number %ld, at libc's %d", result, number_seen, !where_right);
    selector = 1;
    result = open("/nowhere", O_RDONLY);
    say("open %ld, number %ld", result, number_seen);
  }
}

// A range without a selector: all but it comes back, handlers that return by libc's restorer too.
static void by_range(void) {
  handle(SIGSYS, on_sys, 0);
  extern char __executable_start[], etext[];
  must(dispatch(ON, (long)__executable_start, etext - __executable_start, NULL) == 0);
  raw(SYS_exit, dispatched(SYS_getppid) != 4242 && seen == 0 ? 5 : 6);
}
static void by_range_and_back(void) {
  extern char __executable_start[], etext[];
  handle(SIGSYS, on_sys, 0);
  must(dispatch(ON, (long)__executable_start, etext - __executable_start, NULL) == 0);
  getppid();
}
static long restorer(void) {
  long action[4];
  must(raw(SYS_rt_sigaction, SIGSYS, 0, action, 8) == 0);
  return action[2];
}

static void inclusive(void) {
  handle(SIGSYS, on_sys, 0);
  const long mode = dispatch(INCLUSIVE_ON, (long)site, 4, &selector);
  say("inclusive %s, empty %ld, wrapping %ld", mode ? "refused" : "taken",
      dispatch(INCLUSIVE_ON, (long)site, 0, &selector), dispatch(INCLUSIVE_ON, -8, 100, &selector));
  if (mode) return;
  shown("inside", dispatched(11));
  selector = 1;
  say("outside %d", getppid() == raw(SYS_getppid));
}

static void* in_thread(void* unused) {
  (void)unused;
  const long before = seen;
  const int own = dispatched(SYS_getppid) == getppid() && seen == before;
  must(dispatch(ON, 0, 0, &selector) == 0);
  return (void*)(long)(own && dispatched(SYS_getppid) == 4242);
}
static void in_threads(void) {
  handle(SIGSYS, on_sys, 0);
  must(dispatch(ON, 0, 0, &selector) == 0);
  pthread_t thread;
  void* result;
  must(pthread_create(&thread, NULL, in_thread, NULL) == 0);
  must(pthread_join(thread, &result) == 0);
  say("not inherited by threads, theirs alone: %ld", (long)result);
  shown("on in this one", dispatched(5));
}

// Signals between the check and the fault: each call is made or comes back, never both.
// The last tick stops the timer: where a tick takes longer than the next, nothing else would.
enum { TICKS = 500 };
static volatile long ticks;
static timer_t timer;
static void on_tick(int number) {
  (void)number;
  if (++ticks != TICKS) return;
  const struct itimerspec none = {{0, 0}, {0, 0}};
  const char was = selector;
  selector = 0;
  timer_settime(timer, 0, &none, NULL);
  selector = was;
}
static void under_signals(void) {
  handle(SIGSYS, on_sys, 0);
  struct sigaction tick;
  memset(&tick, 0, sizeof tick);
  tick.sa_handler = on_tick;
  must(sigaction(SIGALRM, &tick, NULL) == 0);
  must(dispatch(ON, restorer(), 32, &selector) == 0);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
  must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  struct itimerspec often = {{0, 60000}, {0, 60000}};
  must(timer_settime(timer, 0, &often, NULL) == 0);
  long wrong = 0, rounds = 0;
  for (; ticks < TICKS && rounds < 2000000; rounds++) {
    const long before = seen;
    wrong += dispatched(SYS_getppid) != 4242 || seen != before + 1;
  }
  struct itimerspec none = {{0, 0}, {0, 0}};
  timer_settime(timer, 0, &none, NULL);
  say("under signals: %ld wrong, ticks %d", wrong, ticks >= TICKS);
}

static void dies_by_default(void) {
  signal(SIGSYS, SIG_DFL);
  must(dispatch(ON, 0, 0, &selector) == 0);
  dispatched(1);
}
static void dies_ignored(void) {
  signal(SIGSYS, SIG_IGN);
  must(dispatch(ON, 0, 0, &selector) == 0);
  dispatched(1);
}
static void dies_blocked(void) {
  handle(SIGSYS, on_sys, 0);
  sigset_t set;
  sigfillset(&set);
  sigprocmask(SIG_SETMASK, &set, NULL);
  must(dispatch(ON, 0, 0, &selector) == 0);
  dispatched(1);
}
static void dies_of_a_wrong_word(void) {
  handle(SIGSYS, on_sys, 0);
  must(dispatch(ON, 0, 0, &selector) == 0);
  selector = 7;
  raw(SYS_getppid);
}
static void dies_of_no_word(void) {
  handle(SIGSYS, on_sys, 0);
  handle(SIGSEGV, on_sys, 0);
  must(dispatch(ON, 0, 0, (char*)8) == 0);
  raw(SYS_getppid);
}
// The handler's own return is a call like any other.
static volatile char stays = 1;
static void on_sys_unwise(int number, siginfo_t* info, void* context) {
  (void)context;
  if (seen++ == 0) return;
  stays = 0;
  _exit(number == SIGSYS && info->si_syscall == SYS_rt_sigreturn ? 7 : 8);
}
static void dies_returning(void) {
  handle(SIGSYS, on_sys_unwise, SA_NODEFER);
  must(dispatch(ON, 0, 0, &stays) == 0);
  raw(SYS_getppid);
}

int main(void) {
  say("bad mode %ld", dispatch(77, 0, 0, 0));
  say("bad mode above %ld", raw(SYS_prctl, DISPATCH, 0x100000001, 0, 0, 0));
  say("off with a selector %ld", dispatch(OFF, 0, 0, &selector));
  say("off with a range %ld %ld", dispatch(OFF, 4096, 0, 0), dispatch(OFF, 0, 4096, 0));
  say("bad selector %ld", dispatch(ON, 0, 0, (char*)0xfff0000000000000));
  say("bad range %ld", dispatch(ON, -8, 100, &selector));
  say("off when off %ld", dispatch(OFF, 0, 0, 0));
  in_child("dispatch", with_dispatch);
  in_child("calls of libc", of_libc);
  in_child("by range", by_range);
  in_child("and back", by_range_and_back);
  in_child("inclusive", inclusive);
  in_child("threads", in_threads);
  in_child("signals", under_signals);
  in_child("by default", dies_by_default);
  in_child("ignored", dies_ignored);
  in_child("blocked", dies_blocked);
  in_child("wrong word", dies_of_a_wrong_word);
  in_child("no word", dies_of_no_word);
  in_child("returning", dies_returning);
  return 0;
}
