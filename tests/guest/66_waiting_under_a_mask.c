// Calls that wait under another mask: sigsuspend, ppoll, pselect, epoll_pwait. A signal that the
// mask lets in ends them, be it one that waited already; its handler runs under that mask, and what
// it returns to is the old one.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "guest.h"

static sigset_t in_handler, interrupted;
static volatile int seen, nested;

static void on_nested(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  nested++;
}

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)info;
  seen = seen * 100 + number;
  sigprocmask(SIG_BLOCK, NULL, &in_handler);
  interrupted = ((ucontext_t*)context)->uc_sigmask;
  raise(SIGWINCH);
}

static void print(const char* what, const sigset_t* set) {
  char text[65];
  for (int i = 1; i <= 64; i++) text[i - 1] = sigismember(set, i) == 1 ? '1' : '.';
  text[64] = 0;
  say("  %s %s", what, text);
}

static int epoll;

static long wait_in(int call, const sigset_t* mask) {
  struct timespec time = {5, 0};
  struct pollfd none = {-1, 0, 0};
  struct epoll_event event;
  switch (call) {
    case 0: return sigsuspend(mask);
    case 1: return ppoll(&none, 1, &time, mask);
    case 2: return pselect(0, NULL, NULL, NULL, &time, mask);
    case 3: return epoll_pwait(epoll, &event, 1, 5000, mask);
    default: {
      const uint64_t set = *(const uint64_t*)mask;
      return syscall(SYS_rt_sigsuspend, &set, 8);
    }
  }
}

static void one(int call, int number, int early) {
  sigset_t all, mask, now;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  sigfillset(&mask);
  sigdelset(&mask, number);
  sigdelset(&mask, SIGWINCH);
  seen = nested = 0;
  pid_t sender = 0;
  if (early) {
    kill(getpid(), number);
  } else if ((sender = fork()) == 0) {
    wait_until_blocked(getppid(), getppid(), -1);
    kill(getppid(), number);
    _exit(0);
  }
  const long result = wait_in(call, &mask);
  say("call %d signal %d early %d: %ld, errno %d, seen %d, nested %d", call, number, early, result,
      errno, seen, nested);
  print("in the handler", &in_handler);
  print("of the frame  ", &interrupted);
  sigprocmask(SIG_BLOCK, NULL, &now);
  print("afterwards    ", &now);
  if (sender) must(waitpid(sender, NULL, 0) == sender);
}

int main(void) {
  static const int numbers[] = {SIGUSR1, SIGSEGV, SIGSYS};
  epoll = epoll_create1(0);
  handle(SIGWINCH, on_nested, 0);
  for (int i = 0; i < 3; i++) {
    handle(numbers[i], on_signal, 0);
    for (int call = 0; call < 5; call++)
      for (int early = 0; early < 2; early++) one(call, numbers[i], early);
  }
  return 0;
}
