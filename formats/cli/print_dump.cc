// -e read= and write=: what calls moved, byte by byte.
#include <algorithm>
#include <functional>
#include <utility>

#include "arch/table.h"
#include "formats/cli/print_lines.h"
#include "formats/read/decode.h"
#include "formats/read/structs.h"

namespace sctrace::cli {

namespace {

constexpr uint64_t all = ~0ull;

// Whoever writes the lines does it in a thread of its own.
using Tell = std::function<void(std::function<void(Notation&)>)>;

class Dump {
 public:
  Dump(const read::Call& call, const Tell& tell, bool out)
      : memory_(call), pid_(call.pid), tell_(tell), out_(out) {}

  void buffer(uint64_t at, uint64_t n) {
    const std::string known = memory_.bytes(at, n, out_);
    const bool unread = !known.empty() && known.size() < n && !memory_.shortened(at, n, out_);
    tell_([=, pid = pid_](Notation& to) {
      to.bytes(known, n);
      if (unread) to.unread(pid, at + known.size(), n - known.size());
    });
  }

  void vector(uint64_t at, uint64_t count, uint64_t left) {
    constexpr uint64_t most = 1024;  // UIO_MAXIOV; where not all are there, none is looked at
    uint64_t pair[2];
    if (count > most || memory_.bytes(at, count * 16, false).size() < count * 16) return;
    for (uint64_t i = 0; i < count && memory_.whole(pair, at + i * 16, 16, false); ++i) {
      const uint64_t n = std::min(pair[1], left);
      if (!n) return;
      if (left != all) left -= n;
      tell_([i, n](Notation& to) { to.buffer(i, n); });
      buffer(pair[0], n);
    }
  }

  void message(uint64_t at, uint64_t left) {
    uint64_t vectors[2];  // where, and how many
    if (memory_.whole(vectors, at + 16, sizeof vectors, false))
      vector(vectors[0], vectors[1], left);
  }

  void messages(uint64_t at, uint64_t count) {
    constexpr uint64_t stride = 64, length_at = 56;
    for (uint64_t i = 0; i < count; ++i, at += stride) {
      uint64_t vectors[2];
      uint32_t length = 0;
      if (!memory_.whole(vectors, at + 16, sizeof vectors, false) ||
          !memory_.whole(&length, at + length_at, sizeof length, true))
        return;
      tell_([i, n = vectors[1]](Notation& to) { to.vector(i, n); });
      vector(vectors[0], vectors[1], length);
    }
  }

 private:
  read::Memory memory_;
  uint32_t pid_;
  const Tell& tell_;
  bool out_;
};

// All that was to be written, whatever became of it.
void written(const read::Call& call, Dump dump) {
  const uint64_t* args = call.args;
  switch (call.nr) {
    case arch::nr_write:
    case arch::nr_pwrite64:
    case arch::nr_sendto:
    case arch::nr_mq_timedsend: return dump.buffer(args[1], args[2]);
    case arch::nr_writev:
    case arch::nr_pwritev:
    case arch::nr_pwritev2:
    case arch::nr_vmsplice: return dump.vector(args[1], args[2], all);
    case arch::nr_sendmsg: return dump.message(args[1], all);
    case arch::nr_sendmmsg:
      if (call.result > 0) dump.messages(args[1], static_cast<uint64_t>(call.result));
      return;
    default: return;
  }
}

void got(const read::Call& call, Dump dump) {
  const uint64_t* args = call.args;
  const auto n = static_cast<uint64_t>(call.result);
  switch (call.nr) {
    case arch::nr_read:
    case arch::nr_pread64:
    case arch::nr_recvfrom:
    case arch::nr_mq_timedreceive: return dump.buffer(args[1], n);
    case arch::nr_readv:
    case arch::nr_preadv:
    case arch::nr_preadv2: return dump.vector(args[1], args[2], n);
    case arch::nr_recvmsg: return dump.message(args[1], n);
    case arch::nr_recvmmsg: return dump.messages(args[1], n);
    default: return;
  }
}

}  // namespace

void Lines::dump(const read::Call& call) {
  const arch::Row& row = read::lookup(call.nr);
  const auto fd = static_cast<int32_t>(call.args[0]);
  if (!row.arity || row.args[0].kind != arch::Kind::fd || fd < 0) return;
  const Tell to = [&](std::function<void(Notation&)> what) { tell(call.tid, std::move(what)); };
  if (wish_.write.has(fd)) written(call, {call, to, false});
  if (wish_.read.has(fd) && call.result > 0) got(call, {call, to, true});
}

}  // namespace sctrace::cli
