// Descriptors with what is behind them: found open, opened, moved, deleted, connected.
#include "say.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

static char cwd[4096];
static unsigned long inode_of(int fd) {
  struct stat status;
  return fstat(fd, &status) ? 0 : status.st_ino;
}

static void files(void) {
  const char* here = cwd;
  int a = openat(AT_FDCWD, "a", O_RDWR | O_CREAT, 0600);
  printf("openat(AT_FDCWD<%s>, \"a\", O_RDWR|O_CREAT, 0600) = %d<%s/a>\n", here, a, here);
  syscall(SYS_dup, a);
  char line[4200];
  snprintf(line, sizeof line, "dup(%d<%s/a>)", a, here);
  printf("%-39s = %d<%s/a>\n", line, a + 1, here);
  say(syscall(SYS_rename, "a", "./b<\n"), "rename(\"a\", \"./b<\\n\")");
  say(syscall(SYS_read, a, 0L, 0L), "read(%d<%s/b\\74\\n>, NULL, 0)", a, here);
  say(syscall(SYS_unlink, "b<\n"), "unlink(\"b<\\n\")");
  say(syscall(SYS_read, a, 0L, 0L), "read(%d<%s/b\\74\\n>(deleted), NULL, 0)", a, here);
  say(syscall(SYS_close, a), "close(%d<%s/b\\74\\n>(deleted))", a, here);
  say(syscall(SYS_close, a + 1), "close(%d<%s/b\\74\\n>(deleted))", a + 1, here);
  int null = openat(AT_FDCWD, "/dev/null", O_RDONLY);
  printf("openat(AT_FDCWD<%s>, \"/dev/null\", O_RDONLY) = %d</dev/null<char 1:3>>\n", here, null);
  say(syscall(SYS_close, null), "close(%d</dev/null<char 1:3>>)", null);
}

static void directories(void) {
  say(syscall(SYS_mkdir, "d", 0700), "mkdir(\"d\", 0700)");
  say(syscall(SYS_chdir, "d/../d"), "chdir(\"d/../d\")");
  say(syscall(SYS_openat, AT_FDCWD, "no", O_RDONLY), "openat(AT_FDCWD<%s/d>, \"no\", O_RDONLY)",
      cwd);
  say(syscall(SYS_rmdir, "../d"), "rmdir(\"../d\")");
  say(syscall(SYS_openat, AT_FDCWD, "no", O_RDONLY),
      "openat(AT_FDCWD<%s/d (deleted)>, \"no\", O_RDONLY)", cwd);
}

static void sockets(void) {
  int two[2];
  syscall(SYS_pipe2, two, 0);
  unsigned long inode = inode_of(two[0]);
  printf("pipe2([%d<pipe:[%lu]>, %d<pipe:[%lu]>], 0) = 0\n", two[0], inode, two[1], inode);
  socketpair(AF_UNIX, SOCK_STREAM, 0, two);
  unsigned long one = inode_of(two[0]), other = inode_of(two[1]);
  printf(
      "socketpair(AF_UNIX, SOCK_STREAM, 0, [%d<UNIX-STREAM:[%lu->%lu]>, "
      "%d<UNIX-STREAM:[%lu->%lu]>]) = 0\n",
      two[0], one, other, two[1], other, one);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int udp = socket(AF_INET, SOCK_DGRAM, 0);
  inode = inode_of(udp);
  printf("socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = %d<UDP:[%lu]>\n", udp, inode);
  syscall(SYS_bind, udp, &at, sizeof at);
  printf(
      "bind(%d<UDP:[%lu]>, {sa_family=AF_INET, sin_port=htons(0), "
      "sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0\n",
      udp, inode);
  socklen_t n = sizeof at;
  getsockname(udp, (struct sockaddr*)&at, &n);
  say(syscall(SYS_read, udp, 0L, -1L) == -1 ? -1 : 0,
      "read(%d<UDP:[127.0.0.1:%d]>, NULL, 18446744073709551615)", udp, ntohs(at.sin_port));
  say(syscall(SYS_close, udp), "close(%d<UDP:[127.0.0.1:%d]>)", udp, ntohs(at.sin_port));
}

int main(void) {
  if (!getcwd(cwd, sizeof cwd)) return 77;
  files();
  directories();
  sockets();
  return 0;
}
