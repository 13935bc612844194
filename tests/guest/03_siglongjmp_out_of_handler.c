// Hazard 3: a handler leaves by siglongjmp, thousands of times, out of loops of calls.
#include <fcntl.h>
#include <setjmp.h>
#include <sys/time.h>
#include "guest.h"

static sigjmp_buf top;
static volatile int jumps, wrong;
static const char* bottom;

// Handlers nest without end where each takes longer than the timer: a tracer may be as slow as
// that.
static void tick(int slower) {
  static int period = 150;
  if (slower) period *= 2;
  const struct itimerval often = {{0, period}, {0, period}};
  setitimer(ITIMER_REAL, &often, NULL);
}

static void on_alarm(int number, siginfo_t* info, void* context) {
  (void)number, (void)info;
  jumps++;
  if (bottom - (const char*)context > 256 << 10) tick(1);
  siglongjmp(top, 1);
}

int main(void) {
  static char zeros[4096];
  int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
  pid_t pid = getpid();
  handle(SIGALRM, on_alarm, 0);
  struct itimerval never = {{0, 0}, {0, 0}};
  bottom = (const char*)&never;
  if (!sigsetjmp(top, 1)) tick(0);  // it is whole before anybody jumps
  while (jumps < 4000) {
    switch (jumps & 3) {
      case 0:
        if (read(zero, zeros, 1) != 1) wrong++;
        break;
      case 1:
        if (raw(SYS_getpid) != pid) wrong++;
        break;
      case 2:
        if (write(null, zeros, 4096) != 4096) wrong++;
        break;
      case 3:
        if (raw(SYS_read, zero, zeros, 512) != 512) wrong++;
        break;
    }
  }
  setitimer(ITIMER_REAL, &never, NULL);
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  say("jumped %s, wrong %d, blocked afterwards %d", jumps >= 4000 ? "enough" : "too little", wrong,
      sigismember(&mask, SIGALRM));
  say("pid %d, zero %d", raw(SYS_getpid) == pid, (int)read(zero, zeros, 7));
  return 0;
}
