// Who is at the other end of a socket: what the kernel does not tell of those of AF_UNIX is found
// out from both ends, where both are of this trace.
#include <algorithm>

#include "formats/read/decode.h"

namespace sctrace::read {

namespace {

constexpr uint32_t type_mask = 0170000, socket_type = 0140000;
constexpr uint16_t unix_family = 1, datagram = 2;
constexpr size_t waiting_most = 1024;  // to one name by one process; the oldest are given up

bool is_local(const OpenFile& file) {
  uint16_t family = 0;
  if ((file.mode & type_mask) == socket_type && file.name.size() >= sizeof family)
    file.name.copy(reinterpret_cast<char*>(&family), sizeof family);
  return family == unix_family;
}

}  // namespace

void Files::join(const std::shared_ptr<One>& one, const std::shared_ptr<One>& other) {
  one->peer_inode = other->told.inode;
  other->peer_inode = one->told.inode;
}

// The ends of a connection come in any order, those of one process to one name in that of its
// calls. One that nobody in this trace accepts goes when it is closed.
void Files::meet(Ends& ours, Ends& theirs, const End& key, const std::shared_ptr<One>& one) {
  if (const auto found = theirs.find(key); found != theirs.end()) {
    std::shared_ptr<One> other;
    while (!other && !found->second.empty()) {
      other = found->second.front().lock();
      found->second.pop_front();
    }
    if (found->second.empty()) theirs.erase(found);
    if (other) return join(one, other);
  }
  auto& waiting = ours[key];
  std::erase_if(waiting, [](const std::weak_ptr<One>& other) { return other.expired(); });
  if (waiting.size() == waiting_most) waiting.pop_front();
  waiting.push_back(one);
}

std::shared_ptr<Files::One> Files::shared(uint32_t pid, int64_t fd) {
  const Table& files = *process(pid).open;
  const auto found = files.find(fd);
  return found == files.end() ? nullptr : found->second;
}

void Files::accepted(const Call& call) {
  const auto one = call.result < 0 ? nullptr : shared(call.pid, static_cast<int32_t>(call.result));
  if (!one || !is_local(one->told)) return;
  const auto connector = static_cast<uint32_t>(one->told.special);
  if (processes_.contains(connector))
    meet(accepted_, connecting_, {connector, one->told.name}, one);
}

void Files::connected(const Call& call) {
  constexpr int64_t in_progress = -115;
  if (!call.ended || (call.result != 0 && call.result != in_progress)) return;
  const auto one = shared(call.pid, static_cast<int32_t>(call.args[0]));
  if (!one) return;
  if (one->told.peer.empty())  // the writer asked while the connection was still being made
    one->told.peer = Memory(call).bytes(call.args[1], std::min<uint64_t>(call.args[2], 128), false);
  if (!is_local(one->told)) return;
  if (one->told.kind != datagram)
    return meet(connecting_, accepted_, {call.pid, one->told.peer}, one);
  one->peer_inode = 0;
  for (const auto& [pid, process] : processes_)
    for (const auto& [fd, other] : *process.open)
      if (other->told.kind == datagram && other->told.name == one->told.peer)
        one->peer_inode = other->told.inode;
}

// What is executed has the same sockets, but nobody told it how they came to be.
void Files::keep_peers(const Table& before, Table& after) {
  for (auto& [fd, one] : after) {
    const auto found = before.find(fd);
    if (found != before.end() && found->second->told.inode == one->told.inode)
      one->peer_inode = found->second->peer_inode;
  }
}

}  // namespace sctrace::read
