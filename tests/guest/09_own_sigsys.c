// Hazard 9: the program's own dealings with SIGSYS: read back exactly, delivered when sent, and
// never seen because of a tracer.
#include "guest.h"

static volatile int seen, code, value;

static void on_sys(int number, siginfo_t* info, void* context) {
  (void)number, (void)context;
  raw(SYS_getppid);
  seen++;
  code = info->si_code;
  value = info->si_value.sival_int;
}

static void by_default(void) {
  signal(SIGSYS, SIG_DFL);
  raise(SIGSYS);
}
static void ignored(void) {
  signal(SIGSYS, SIG_IGN);
  raise(SIGSYS);
  getppid();
  raw(SYS_getppid);
  _exit(7);
}

int main(void) {
  struct sigaction old, back;
  must(sigaction(SIGSYS, NULL, &old) == 0);
  say("at start default %d, flags %x", old.sa_handler == SIG_DFL, old.sa_flags);
  handle(SIGSYS, on_sys, SA_RESTART | SA_NODEFER);
  must(sigaction(SIGSYS, NULL, &back) == 0);
  say("read back %d, flags %x", back.sa_sigaction == on_sys, back.sa_flags & ~0x04000000);
  for (int i = 0; i < 1000; i++) raw(SYS_getppid), getppid();
  say("seen %d", seen);
  raise(SIGSYS);
  say("raised: seen %d, code %d", seen, code);
  sigqueue(getpid(), SIGSYS, (union sigval){.sival_int = 77});
  say("queued: seen %d, code %d, value %d", seen, code, value);
  sigset_t sys, pending;
  sigemptyset(&sys);
  sigaddset(&sys, SIGSYS);
  sigprocmask(SIG_BLOCK, &sys, NULL);
  kill(getpid(), SIGSYS);
  raw(SYS_getppid);
  sigpending(&pending);
  say("blocked: seen %d, pending %d", seen, sigismember(&pending, SIGSYS));
  sigprocmask(SIG_UNBLOCK, &sys, NULL);
  say("unblocked: seen %d, code %d", seen, code);
  sigprocmask(SIG_BLOCK, &sys, NULL);
  kill(getpid(), SIGSYS);
  siginfo_t info;
  say("sigwaitinfo %d, seen %d", sigwaitinfo(&sys, &info), seen);
  sigprocmask(SIG_UNBLOCK, &sys, NULL);
  struct sigaction once = {.sa_handler = SIG_IGN};
  sigaction(SIGSYS, &once, &back);
  say("was ours %d", back.sa_sigaction == on_sys);
  raise(SIGSYS);
  sigaction(SIGSYS, NULL, &back);
  say("ignored %d, seen %d", back.sa_handler == SIG_IGN, seen);
  raw(SYS_getppid);
  handle(SIGSYS, on_sys, SA_RESETHAND);
  raise(SIGSYS);
  sigaction(SIGSYS, NULL, &back);
  say("reset %d, seen %d", back.sa_handler == SIG_DFL, seen);
  in_child("default", by_default);
  in_child("ignored", ignored);
  return 0;
}
