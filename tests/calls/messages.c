#include "say.h"

#include <sys/socket.h>
#include <sys/uio.h>

int main(void) {
  int fds[2];
  say(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), "socketpair(AF_UNIX, SOCK_DGRAM, 0, [%d, %d])", 3,
      4);
  struct iovec parts[] = {{"ab", 2}, {"\0c", 2}};
  union {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr message = {.msg_iov = parts,
                           .msg_iovlen = 2,
                           .msg_control = &control,
                           .msg_controllen = CMSG_SPACE(sizeof(int))};
  control.head = (struct cmsghdr){
      .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  const int zero = 0;
  memcpy(CMSG_DATA(&control.head), &zero, sizeof zero);
  say(sendmsg(fds[0], &message, MSG_NOSIGNAL),
      "sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"ab\", iov_len=2}, "
      "{iov_base=\"\\0c\", iov_len=2}], msg_iovlen=2, "
      "msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[0]}], "
      "msg_controllen=24, msg_flags=0}, MSG_NOSIGNAL)");
  char got[8];
  struct iovec whole = {got, sizeof got};
  struct msghdr in = {.msg_iov = &whole, .msg_iovlen = 1};
  say(recvmsg(fds[1], &in, 0),
      "recvmsg(4, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"ab\\0c\", iov_len=8}], "
      "msg_iovlen=1, msg_controllen=0, msg_flags=MSG_CTRUNC}, 0)");
  return fds[0] == 3 ? 0 : 77;
}
