#include "say.h"

int main(void) {
  const long fd = syscall(SYS_openat, AT_FDCWD, "f", O_RDWR | O_CREAT | O_EXCL, 0640);
  say(fd, "openat(AT_FDCWD, \"f\", O_RDWR|O_CREAT|O_EXCL, 0640)");
  say(syscall(SYS_open, "nothing here", O_RDONLY | O_DIRECTORY),
      "open(\"nothing here\", O_RDONLY|O_DIRECTORY)");
  say(syscall(SYS_open, "f", O_WRONLY | O_APPEND), "open(\"f\", O_WRONLY|O_APPEND)");
  say(syscall(SYS_ftruncate, fd, 7L), "ftruncate(%ld, 7)", fd);
  say(syscall(SYS_fchmod, fd, 0600), "fchmod(%ld, 0600)", fd);
  say(syscall(SYS_mkdirat, AT_FDCWD, "d", 0700), "mkdirat(AT_FDCWD, \"d\", 0700)");
  say(syscall(SYS_symlinkat, "to\n", AT_FDCWD, "l"), "symlinkat(\"to\\n\", AT_FDCWD, \"l\")");
  char to[16];
  say(syscall(SYS_readlinkat, AT_FDCWD, "l", to, sizeof to),
      "readlinkat(AT_FDCWD, \"l\", \"to\\n\", 16)");
  say(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d", 1),
      "renameat2(AT_FDCWD, \"f\", AT_FDCWD, \"d\", RENAME_NOREPLACE)");
  say(syscall(SYS_unlinkat, AT_FDCWD, "d", AT_REMOVEDIR),
      "unlinkat(AT_FDCWD, \"d\", AT_REMOVEDIR)");
  say(syscall(SYS_unlinkat, -100, (char*)-1L, 0), "unlinkat(AT_FDCWD, 0xffffffffffffffff, 0)");
  return 0;
}
