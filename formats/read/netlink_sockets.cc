// Which descriptors are netlink sockets, and of what protocol: as socket() made them.
#include "formats/read/decode.h"

namespace sctrace::read {

int NetlinkSockets::protocol(uint32_t pid, int64_t fd) const {
  const auto process = of_.find(pid);
  if (process == of_.end()) return -1;
  const auto socket = process->second.find(fd);
  return socket == process->second.end() ? -1 : socket->second;
}

// A number that is given to something else is no socket of ours any more, whatever call gave it.
void NetlinkSockets::learn(const Call& call) {
  using namespace arch;
  if (!call.ended || call.result < 0) return;
  const bool made = call.nr == nr_socket && static_cast<uint32_t>(call.args[0]) == 16;
  const auto known = of_.find(call.pid);
  if (!made && known == of_.end()) return;
  auto& sockets = made ? of_[call.pid] : known->second;
  const auto low = [&](int i) { return static_cast<int32_t>(call.args[i]); };
  const auto copy = [&](int64_t to) {
    const int one = protocol(call.pid, low(0));
    one < 0 ? void(sockets.erase(to)) : void(sockets[to] = one);
  };
  switch (call.nr) {
    case nr_socket:
      made ? void(sockets[call.result] = low(2)) : void(sockets.erase(call.result));
      return;
    case nr_dup: return copy(call.result);
    case nr_dup2:
    case nr_dup3: return copy(low(1));
    case nr_fcntl:
      if (low(1) == 0 || low(1) == 1030) copy(call.result);
      return;
    case nr_close: sockets.erase(low(0)); return;
    case nr_fork:
    case nr_vfork:
    case nr_clone:
    case nr_clone3:
      if (call.result) {
        auto inherited = sockets;
        of_[static_cast<uint32_t>(call.result)] = std::move(inherited);
      }
      return;
    default:
      if (lookup(call.nr).result == Result::fd) sockets.erase(call.result);
      return;
  }
}

int NetlinkSockets::carried(const Call& call) const {
  using namespace arch;
  switch (call.nr) {
    case nr_sendto:
    case nr_recvfrom:
    case nr_sendmsg:
    case nr_recvmsg:
    case nr_sendmmsg:
    case nr_recvmmsg: return protocol(call.pid, static_cast<int32_t>(call.args[0]));
    default: return -1;
  }
}

}  // namespace sctrace::read
