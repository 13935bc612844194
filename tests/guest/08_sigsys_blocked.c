// Hazard 8: all signals blocked while code that nobody has seen makes calls. The mask reads back as
// it was set, in each of the ways to set one.
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include "guest.h"

static int in_mask(void) {
  sigset_t now;
  sigprocmask(SIG_BLOCK, NULL, &now);
  int count = 0;
  for (int i = 1; i <= 64; i++) count += sigismember(&now, i) == 1;
  return count * 10 + sigismember(&now, SIGSYS);
}

static void* thread_mask(void* unused) {
  (void)unused;
  say("a new thread inherits %d", in_mask());
  return NULL;
}

int main(void) {
  static const unsigned char code[] = {0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3};
  char* page =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(page, code, sizeof code);
  long (*generated)(void) = (void*)page;
  sigset_t all, old, empty;
  sigfillset(&all);
  sigemptyset(&empty);
  say("at start %d", in_mask());
  must(sigprocmask(SIG_SETMASK, &all, &old) == 0);
  int right = 0;
  for (int i = 0; i < 1000; i++) right += generated() == getppid();
  say("calls right %d, mask %d", right, in_mask());
  unsigned long kernel_mask = 0;
  raw(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &kernel_mask, 8);
  say("raw mask %lx", kernel_mask);
  pthread_t thread;
  pthread_create(&thread, NULL, thread_mask, NULL);
  pthread_join(thread, NULL);
  must(raise(SIGUSR1) == 0);
  sigset_t pending;
  sigpending(&pending);
  say("pending USR1 %d, SYS %d", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGSYS));
  signal(SIGUSR1, SIG_IGN);
  struct timespec zero = {0, 0};
  say("ppoll %d", ppoll(NULL, 0, &zero, &all));
  pid_t pid = fork();
  if (pid == 0) _exit(in_mask() & 127);
  int status;
  waitpid(pid, &status, 0);
  say("child %s", ended(status));
  sigset_t sys;
  sigemptyset(&sys);
  sigaddset(&sys, SIGSYS);
  sigprocmask(SIG_UNBLOCK, &sys, &old);
  say("before %d, after %d", sigismember(&old, SIGSYS), in_mask());
  sigprocmask(SIG_SETMASK, &empty, NULL);
  sigprocmask(SIG_BLOCK, &sys, NULL);
  say("SIGSYS alone %d, generated %d", in_mask(), generated() == getppid());
  return 0;
}
