#include "say.h"

int main(void) {
  say(syscall(SYS_getuid), "getuid()");
  say(syscall(SYS_getegid), "getegid()");
  uint32_t r = 7, e = 7, s = 7;
  long result = syscall(SYS_getresuid, &r, &e, &s);
  say(result, "getresuid([%u], [%u], [%u])", r, e, s);
  result = syscall(SYS_setreuid, -1, -1);
  say(result, "setreuid(-1, -1)");
  gid_t groups[64];
  result = syscall(SYS_getgroups, 0, groups);
  say(result, "getgroups(0, %s)", "[]");
  return 0;
}
