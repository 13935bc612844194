#include "say.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int main(void) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  say(fd, "socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP)");
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  say(bind(fd, (struct sockaddr*)&here, sizeof here),
      "bind(%d, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"127.0.0.1\")}, 16)",
      fd);
  socklen_t n = 100;
  const int named = getsockname(fd, (struct sockaddr*)&here, &n);
  const int port = ntohs(here.sin_port);
  say(named,
      "getsockname(%d, {sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr(\"127.0.0.1\")}, "
      "[100 => 16])",
      fd, port);
  say(sendto(fd, "hey", 3, 0, (struct sockaddr*)&here, sizeof here),
      "sendto(%d, \"hey\", 3, 0, {sa_family=AF_INET, sin_port=htons(%d), "
      "sin_addr=inet_addr(\"127.0.0.1\")}, 16)",
      fd, port);
  char got[16];
  n = sizeof here;
  say(recvfrom(fd, got, sizeof got, MSG_DONTWAIT, (struct sockaddr*)&here, &n),
      "recvfrom(%d, \"hey\", 16, MSG_DONTWAIT, {sa_family=AF_INET, sin_port=htons(%d), "
      "sin_addr=inet_addr(\"127.0.0.1\")}, [16])",
      fd, port);
  int value = 1;
  say(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value),
      "setsockopt(%d, SOL_SOCKET, SO_REUSEADDR, [1], 4)", fd);
  n = sizeof value;
  say(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &n),
      "getsockopt(%d, SOL_SOCKET, SO_TYPE, [2], [4])", fd);
  say(shutdown(fd, SHUT_RDWR), "shutdown(%d, SHUT_RDWR)", fd);
  say(connect(-1, (struct sockaddr*)1, 1), "connect(-1, 0x1, 1)");
  return 0;
}
