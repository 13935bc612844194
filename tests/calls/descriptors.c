#include "say.h"

int main(void) {
  int fds[2];
  say(syscall(SYS_pipe2, fds, O_CLOEXEC), "pipe2([%d, %d], O_CLOEXEC)", fds[0], fds[1]);
  say(syscall(SYS_dup2, fds[0], 50), "dup2(%d, 50)", fds[0]);
  say(syscall(SYS_dup3, fds[0], 51, O_CLOEXEC), "dup3(%d, 51, O_CLOEXEC)", fds[0]);
  say(syscall(SYS_dup, -1), "dup(-1)");
  say(syscall(SYS_lseek, fds[0], 5L, SEEK_CUR), "lseek(%d, 5, SEEK_CUR)", fds[0]);
  syscall(SYS_fcntl, fds[0], F_GETFD);
  printf("%-39s = 0x1 (flags FD_CLOEXEC)\n", "fcntl(3, F_GETFD)");
  syscall(SYS_fcntl, fds[1], F_GETFL);
  printf("%-39s = 0x1 (flags O_WRONLY)\n", "fcntl(4, F_GETFL)");
  say(syscall(SYS_fcntl, fds[0], F_SETFL, O_NONBLOCK), "fcntl(%d, F_SETFL, O_RDONLY|O_NONBLOCK)",
      fds[0]);
  say(syscall(SYS_fcntl, fds[0], 77, 0x55L), "fcntl(%d, 0x4d /* F_??? */, 0x55)", fds[0]);
  say(syscall(SYS_close_range, 50, 51, 0), "close_range(50, 51, 0)");
  return fds[0] == 3 ? 0 : 77;
}
