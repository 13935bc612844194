#include "formats/read/endings.h"

#include <algorithm>

#include "arch/table.h"
#include "formats/read/decode.h"

namespace sctrace::read {

namespace {

// Signals whose default action is not to kill.
bool is_harmless(uint32_t signal) {
  constexpr uint64_t harmless = 1ull << 17 | 1ull << 18 | 1ull << 19 | 1ull << 20 | 1ull << 21 |
                                1ull << 22 | 1ull << 23 | 1ull << 28;
  return !signal || signal > 64 || (signal < 64 && harmless >> signal & 1);
}

// The signal that the call sends to its own process, or 0.
uint32_t sent_to_itself(const Call& call) {
  using namespace arch;
  const auto low = [&](int i) { return static_cast<uint32_t>(call.args[i]); };
  switch (call.nr) {
    case nr_kill: return low(0) == call.pid ? low(1) : 0;
    case nr_tkill: return low(0) == call.tid ? low(1) : 0;
    case nr_tgkill: return low(0) == call.pid ? low(2) : 0;
    default: return 0;
  }
}

}  // namespace

void Endings::enter(const Call& call) {
  const uint32_t signal = sent_to_itself(call);
  open_[call.pid][call.tid] = {call.pid, is_harmless(signal) ? 0 : signal};
}

std::vector<Ending> Endings::leave(const Call& call) {
  open_[call.pid].erase(call.tid);
  if (call.result < 0) return {};
  const Memory memory(call);
  uint32_t status = 0;
  int32_t info[7] = {};
  constexpr int32_t child = 17, killed = 2, dumped = 3;
  Ending ending;
  if (call.nr == arch::nr_wait4 && call.result > 0 &&
      memory.whole(&status, call.args[1], sizeof status, true)) {
    if (!(status & 0x7f) || (status & 0x7f) == 0x7f) return {};
    ending = {static_cast<uint32_t>(call.result), status & 0x7f, (status & 0x80) != 0};
  } else if (call.nr == arch::nr_waitid && memory.whole(info, call.args[2], sizeof info, true)) {
    if (info[0] != child || (info[2] != killed && info[2] != dumped)) return {};
    ending = {static_cast<uint32_t>(info[4]), static_cast<uint32_t>(info[6]), info[2] == dumped};
  } else {
    return {};
  }
  // WNOWAIT may tell the same again.
  return open_.erase(ending.pid) ? std::vector<Ending>{ending} : std::vector<Ending>();
}

std::vector<Ending> Endings::at_end() const {
  std::vector<Ending> all;
  for (const auto& [pid, threads] : open_)
    for (const auto& [tid, sent] : threads)
      if (sent.signal) {
        all.push_back({pid, sent.signal, false});
        break;
      }
  return all;
}

}  // namespace sctrace::read
