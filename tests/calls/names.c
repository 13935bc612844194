#include "say.h"

#include <sys/utsname.h>

int main(void) {
  struct utsname u;
  say(syscall(SYS_uname, &u), "uname({sysname=\"%s\", nodename=\"%s\", ...})", u.sysname,
      u.nodename);
  char here[4096];
  const long n = syscall(SYS_getcwd, here, sizeof here);
  say(n, "getcwd(\"%s\", 4096)", here);
  say(syscall(SYS_getcwd, here, 1L), "getcwd(%p, 1)", (void*)here);
  say(syscall(SYS_access, "/", R_OK | X_OK), "access(\"/\", R_OK|X_OK)");
  say(syscall(SYS_faccessat, AT_FDCWD, "\x80g", F_OK), "faccessat(AT_FDCWD, \"\\200g\", F_OK)");
  return 0;
}
