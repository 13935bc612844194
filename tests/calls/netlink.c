#include "say.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

// Messages that the kernel refuses for their flag, whatever they ask: MSG_OOB.
static struct {
  struct nlmsghdr head;
  struct ifinfomsg link;
  struct rtattr name;
  char text[4];
  struct rtattr extra;
  uint32_t mask;
} ask = {{sizeof ask, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 7, 0},
         {.ifi_family = AF_UNIX, .ifi_type = 772},
         {8, IFLA_IFNAME},
         "lo1",
         {8, IFLA_EXT_MASK},
         RTEXT_FILTER_VF};

int main(void) {
  const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  say(fd, "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)");
  if (fd != 3) return 77;
#define HEAD(type, length)                   \
  "{nlmsg_len=" length ", nlmsg_type=" type  \
  ", nlmsg_flags=NLM_F_REQUEST|NLM_F_DUMP, " \
  "nlmsg_seq=7, nlmsg_pid=0}"
#define LINK \
  "{ifi_family=AF_UNIX, ifi_type=ARPHRD_LOOPBACK, ifi_index=0, ifi_flags=0, ifi_change=0}"
  say(send(fd, &ask, sizeof ask, MSG_OOB),
      "sendto(3, [" HEAD(
          "RTM_GETLINK",
          "48") ", " LINK
                ", [[{nla_len=8, nla_type=IFLA_IFNAME}, \"lo1\"], "
                "[{nla_len=8, nla_type=IFLA_EXT_MASK}, RTEXT_FILTER_VF]]], 48, MSG_OOB, NULL, 0)");
  struct iovec part = {&ask, 20};
  const struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  say(sendmsg(fd, &message, MSG_OOB),
      "sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=[" HEAD("RTM_GETLINK", "48")
      ", {ifi_family=AF_UNIX, ...}], iov_len=20}], msg_iovlen=1, msg_controllen=0, "
      "msg_flags=0}, MSG_OOB)");
  ask.head.nlmsg_len = 16;
  say(dup2(fd, 4), "dup2(3, 4)");
  say(send(4, &ask, 16, MSG_OOB), "sendto(4, " HEAD("RTM_GETLINK", "16") ", 16, MSG_OOB, NULL, 0)");
  say(close(4), "close(4)");
  int pair[2];
  say(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair(AF_UNIX, SOCK_DGRAM, 0, [4, 5])");
  say(send(4, &ask, 4, 0), "sendto(4, \"\\20\\0\\0\\0\", 4, 0, NULL, 0)");
  return 0;
}
