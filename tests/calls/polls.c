#include "say.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

int main(void) {
  int fds[2];
  if (pipe(fds) || fds[0] != 3 || write(fds[1], "x", 1) != 1) return 77;
  struct pollfd p[] = {{3, POLLIN, 0}, {-1, POLLOUT, 0}};
  printf("%-39s = 1 ([{fd=3, revents=POLLIN}])\n", "poll([{fd=3, events=POLLIN}, {fd=-1}], 2, 0)");
  if (syscall(SYS_poll, p, 2L, 0) != 1) return 1;
  p[0].events = POLLPRI;
  printf("%-39s = 0 (Timeout)\n", "poll([{fd=3, events=POLLPRI}], 1, 0)");
  if (syscall(SYS_poll, p, 1L, 0)) return 1;
  struct timespec none = {0, 0};
  printf("%s = 0 (Timeout)\n",
         "ppoll([{fd=3, events=POLLPRI}], 1, {tv_sec=0, tv_nsec=0}, NULL, 8)");
  if (syscall(SYS_ppoll, p, 1L, &none, NULL, 8L)) return 1;
  fd_set in;
  FD_ZERO(&in);
  FD_SET(3, &in);
  struct timeval second = {1, 0};
  char line[128];
  if (syscall(SYS_select, 4, &in, NULL, NULL, &second) != 1) return 1;
  snprintf(line, sizeof line,
           "select(4, [3], NULL, NULL, {tv_sec=1, tv_usec=0}) = 1 (in [3], left {tv_sec=%ld, "
           "tv_usec=%ld})",
           second.tv_sec, second.tv_usec);
  puts(line);
  FD_SET(3, &in);  // the last of three in the same place says that nothing happened
  if (syscall(SYS_select, 4, &in, &in, &in, NULL) != 1) return 1;
  printf("%-39s = 1 ()\n", "select(4, [3], [3], [3], NULL)");
  static uint8_t many[1 << 20];
  many[0] = 1 << 3;
  if (syscall(SYS_select, 0x7fffffff, many, NULL, NULL, NULL) != 1) return 1;
  printf("%-39s = 1 (in [3])\n", "select(2147483647, [3], NULL, NULL, NULL)");
  const int poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 42};
  say(epoll_ctl(poller, EPOLL_CTL_ADD, 3, &event),
      "epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLIN|EPOLLET, data={u32=42, u64=42}})");
  struct epoll_event got[4];
  say(epoll_wait(poller, got, 4, 0),
      "epoll_wait(5, [{events=EPOLLIN, data={u32=42, u64=42}}], 4, 0)");
  say(epoll_wait(poller, got, 4, 0), "epoll_wait(5, [], 4, 0)");
  return 0;
}
