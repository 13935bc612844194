#include "say.h"

#include <signal.h>

struct action {
  uint64_t handler, flags, restorer, mask;
};

static void on_signal(int number) { (void)number; }

int main(void) {
  uint64_t set = 1ull << (SIGUSR1 - 1) | 1ull << (SIGTERM - 1), was = 0;
  say(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, &was, 8L),
      "rt_sigprocmask(SIG_BLOCK, [USR1 TERM], [], 8)");
  set = ~0ull;
  say(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8L),
      "rt_sigprocmask(SIG_UNBLOCK, ~[], NULL, 8)");
  say(syscall(SYS_rt_sigprocmask, 9, &set, NULL, 8L),
      "rt_sigprocmask(0x9 /* SIG_??? */, ~[], NULL, 8)");
  struct action ignore = {.handler = 1, .flags = SA_RESTART, .mask = 1ull << (SIGCHLD - 1)};
  say(syscall(SYS_rt_sigaction, SIGUSR2, &ignore, NULL, 8L),
      "rt_sigaction(SIGUSR2, {sa_handler=SIG_IGN, sa_mask=[CHLD], sa_flags=SA_RESTART}, NULL, 8)");
  struct action old;
  say(syscall(SYS_rt_sigaction, SIGHUP, NULL, &old, 8L),
      "rt_sigaction(SIGHUP, NULL, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8)");
  say(syscall(SYS_kill, getpid(), SIGUSR2), "kill(%d, SIGUSR2)", getpid());
  say(syscall(SYS_tgkill, getpid(), gettid(), 0), "tgkill(%d, %d, 0)", getpid(), gettid());
  signal(SIGURG, on_signal);
  printf("rt_sigaction(SIGURG, {sa_handler=%p, sa_mask=[URG], sa_flags=SA_RESTORER|SA_RESTART, ",
         (void*)on_signal);
  struct action now;
  syscall(SYS_rt_sigaction, SIGURG, NULL, &now, 8L);
  printf("sa_restorer=0x%lx}, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0\n",
         now.restorer);
  printf(
      "rt_sigaction(SIGURG, NULL, {sa_handler=%p, sa_mask=[URG], "
      "sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x%lx}, 8) = 0\n",
      (void*)on_signal, now.restorer);
  set = 1ull << (SIGPIPE - 1) | 1ull << (SIGSYS - 1);
  say(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8L),
      "rt_sigprocmask(SIG_SETMASK, [PIPE SYS], NULL, 8)");
  say(syscall(SYS_kill, getpid(), SIGURG), "kill(%d, SIGURG)", getpid());
  said(0, "rt_sigreturn({mask=[PIPE SYS]})");  // to behind the kill, which had its result
  return 0;
}
