// Hazard 2: single-stepping through calls. The handler makes calls itself; every address it sees
// must be one of a mapped file or of the program, and the results must be right.
#include <ucontext.h>
#include "guest.h"

static volatile long steps, right;
static volatile int stepping;

static void on_trap(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  ucontext_t* at = context;
  steps++;
  if (raw(SYS_getppid) == getppid()) right++;
  if (!stepping) at->uc_mcontext.gregs[REG_EFL] &= ~0x100l;
}

static void step_on(void) {
  __asm__ volatile("lea -128(%rsp), %rsp; pushf; orl $0x100, (%rsp); popf; lea 128(%rsp), %rsp");
}

int main(void) {
  char byte;
  int pipes[2];
  long good = 0;
  handle(SIGTRAP, on_trap, 0);
  must(pipe(pipes) == 0);
  for (int round = 0; round < 20; round++) {
    stepping = 1;
    step_on();
    good += getppid() > 0;
    good += write(pipes[1], "x", 1) == 1;
    good += read(pipes[0], &byte, 1) == 1;
    good += raw(SYS_getpid) == getpid();
    good += raw(SYS_close, 99999) == -EBADF;
    stepping = 0;
    good += raw(SYS_getuid) == (long)getuid();
  }
  say("calls right %ld, handlers right %s", good,
      steps > 100 && steps == right ? "all" : "not all");
  return 0;
}
