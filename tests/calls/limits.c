#include "say.h"

#include <sys/resource.h>

struct scheduling {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
  uint32_t least, most;
};

// What is to stay as it is nobody looks at; a size that is none is answered by the kernel's own.
static void scheduled(void) {
  struct scheduling s = {0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
  say(syscall(SYS_sched_setattr, -1, &s, 0),
      "sched_setattr(-1, {size=0, sched_policy=SCHED_OTHER, sched_flags=SCHED_FLAG_RESET_ON_FORK, "
      "sched_nice=0, sched_priority=0, sched_runtime=0, sched_deadline=0, sched_period=0}, 0)");
  s.size = 56, s.flags = 16, s.most = 9;
  say(syscall(SYS_sched_setattr, -1, &s, 0),
      "sched_setattr(-1, {size=56, sched_flags=SCHED_FLAG_KEEP_PARAMS, sched_util_min=0, "
      "sched_util_max=9}, 0)");
  s.size = 7;
  if (syscall(SYS_sched_setattr, 0, &s, 0) != -1 || errno != E2BIG) exit(1);
  printf("sched_setattr(0, {size=7} => {size=%u}, 0) = -1 E2BIG (%s)\n", s.size, strerror(E2BIG));
}

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
  scheduled();
  return 0;
}
