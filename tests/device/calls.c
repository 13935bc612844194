/* Calls with all kinds of memory behind them, for controllers to write anew. None has an effect
 * that matters. ROUNDS of them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
static void round_of_calls(void) {
  struct timespec t = {0, 1000};
  syscall(SYS_nanosleep, &t, NULL);
  const int s = dup2(socket(AF_INET, SOCK_STREAM, 0), 30);
  struct sockaddr_in in = {
      .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(0x7f000001)};
  syscall(SYS_connect, s, &in, sizeof in);
  struct iovec v[2] = {{"abc", 3}, {"defg", 4}};
  syscall(SYS_writev, 7, v, 2);
  struct pollfd p[2] = {{.fd = 5, .events = POLLIN}, {.fd = 6, .events = POLLOUT}};
  syscall(SYS_poll, p, 2, 0);
  struct rlimit r = {100, 200};
  syscall(SYS_prlimit64, 0, RLIMIT_CORE, &r, NULL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8L);
  struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/tmp/nowhere"};
  struct msghdr m = {.msg_name = &un, .msg_namelen = sizeof un, .msg_iov = v, .msg_iovlen = 2};
  syscall(SYS_sendmsg, 7, &m, 0);
  struct epoll_event e = {.events = EPOLLIN, .data.u64 = 7};
  syscall(SYS_epoll_ctl, 7, EPOLL_CTL_ADD, 8, &e);
  fd_set f;
  FD_ZERO(&f);
  FD_SET(3, &f);
  struct timeval tv = {0, 5};
  syscall(SYS_select, 10, &f, NULL, NULL, &tv);
  char *args[] = {"ls", "-l", NULL}, *envp[] = {NULL};
  syscall(SYS_execve, "/nowhere/ls", args, envp);
  syscall(SYS_openat, AT_FDCWD, "/tmp/xx", O_RDONLY);
  syscall(SYS_mkdir, "/nowhere/d", 0755);
  int one = 1;
  syscall(SYS_setsockopt, s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct winsize w = {24, 80, 0, 0};
  syscall(SYS_ioctl, 7, TIOCSWINSZ, &w);
  struct itimerval it = {{0, 0}, {1000, 5}};
  syscall(SYS_setitimer, ITIMER_PROF, &it, NULL);
  close(s);
  struct flock fl = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 2};
  syscall(SYS_fcntl, 7, F_SETLK, &fl);
  struct {
    uint64_t handler, flags, restorer, mask;
  } ka = {1, 0, 0, 0};
  syscall(SYS_rt_sigaction, SIGUSR2, &ka, NULL, 8L);
}

int main(int argc, char** argv) {
  for (int i = argc > 1 ? atoi(argv[1]) : 1; i-- > 0;) round_of_calls();
  return 0;
}
