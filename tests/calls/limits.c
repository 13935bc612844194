#include "say.h"

#include <sys/resource.h>

int main(void) {
  struct rlimit limit = {3072, RLIM_INFINITY}, was;
  say(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &was),
      "prlimit64(0, RLIMIT_CORE, NULL, {rlim_cur=%s, rlim_max=%s})",
      was.rlim_cur == RLIM_INFINITY ? "RLIM64_INFINITY" : "0",
      was.rlim_max == RLIM_INFINITY ? "RLIM64_INFINITY" : "0");
  if (was.rlim_max != RLIM_INFINITY || (was.rlim_cur && was.rlim_cur != RLIM_INFINITY)) return 77;
  say(syscall(SYS_setrlimit, RLIMIT_CORE, &limit),
      "setrlimit(RLIMIT_CORE, {rlim_cur=3*1024, rlim_max=RLIM64_INFINITY})");
  say(syscall(SYS_getrlimit, RLIMIT_CORE, &limit),
      "getrlimit(RLIMIT_CORE, {rlim_cur=3*1024, rlim_max=RLIM64_INFINITY})");
  say(syscall(SYS_getrlimit, 99, &limit), "getrlimit(0x63 /* RLIMIT_??? */, %p)", (void*)&limit);
  say(syscall(SYS_getpriority, PRIO_PROCESS, 0), "getpriority(PRIO_PROCESS, 0)");
  return 0;
}
