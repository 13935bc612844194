#include "say.h"

#include <sys/stat.h>

int main(void) {
  struct stat st;
  static char lines[1 << 14];
  setvbuf(stdout, lines, _IOFBF, sizeof lines);  // or libc asks for the status of stdout
  const int fd = open("seven", O_WRONLY | O_CREAT, 0640);
  if (fd < 0 || write(fd, "0123456", 7) != 7 || chmod("seven", 0640)) return 77;
  say(syscall(SYS_stat, "seven", &st), "stat(\"seven\", {st_mode=S_IFREG|0640, st_size=7, ...})");
  const long result = syscall(SYS_lstat, "/dev/null", &st);
  say(result, "lstat(\"/dev/null\", {st_mode=S_IFCHR|0%o, st_rdev=makedev(0x1, 0x3), ...})",
      st.st_mode & 0777);
  say(syscall(SYS_fstat, -1, &st), "fstat(-1, %p)", (void*)&st);
  say(syscall(SYS_newfstatat, AT_FDCWD, "seven", &st, AT_SYMLINK_NOFOLLOW),
      "newfstatat(AT_FDCWD, \"seven\", {st_mode=S_IFREG|0640, st_size=7, ...}, "
      "AT_SYMLINK_NOFOLLOW)");
  return 0;
}
