// Hazard 10: the program uses Syscall User Dispatch itself, as Wine does.
#include <sys/prctl.h>
#include <ucontext.h>
#include "guest.h"

static volatile char selector;
static volatile long number_seen;
static volatile int code, arch, where_right;
extern char site[];

static void on_sys(int number, siginfo_t* info, void* context) {
  (void)number;
  ucontext_t* at = context;
  selector = 0;
  number_seen = info->si_syscall;
  code = info->si_code;
  arch = info->si_arch;
  where_right =
      info->si_call_addr == site + 2 && at->uc_mcontext.gregs[REG_RIP] == (long)(site + 2);
  at->uc_mcontext.gregs[REG_RAX] = 4242;
}

__attribute__((noinline)) static long dispatched(long nr) {
  long result;
  selector = 1;
  __asm__ volatile(".globl site\nsite: syscall" : "=a"(result) : "a"(nr) : "rcx", "r11", "memory");
  selector = 0;
  return result;
}

static void with_dispatch(void) {
  handle(SIGSYS, on_sys, 0);
  say("on %ld", raw(SYS_prctl, 59, 1, 0, 0, &selector));
  for (int i = 0; i < 3; i++) {
    long result = dispatched(1000 + i);
    say("result %ld, number %ld, code %d, arch %x, where %d", result, number_seen, code, arch,
        where_right);
  }
  pid_t pid = fork();
  if (pid == 0) _exit(dispatched(SYS_getppid) > 0 && number_seen == 1002 ? 5 : 6);
  int status;
  waitpid(pid, &status, 0);
  say("off in a fork child: %s", ended(status));
  say("off %ld, call %d", raw(SYS_prctl, 59, 0, 0, 0, 0), raw(SYS_getppid) == getppid());
}

int main(void) {
  say("bad mode %ld", raw(SYS_prctl, 59, 77, 0, 0, 0));
  say("off with a selector %ld", raw(SYS_prctl, 59, 0, 0, 0, &selector));
  say("bad selector %ld", raw(SYS_prctl, 59, 1, 0, 0, 0x7ff0000000000000));
  say("bad range %ld", raw(SYS_prctl, 59, 1, -8, 100, &selector));
  in_child("dispatch", with_dispatch);
  return 0;
}
