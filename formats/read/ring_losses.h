// What a ring has lost, as its blocks and the gaps between them tell it: one rule for those who
// pair calls with their memory (merge_calls.h) and those who only count them (call_scan.h).
#pragma once
#include <cstdint>
#include <optional>

namespace sctrace::read {

class RingLosses {
 public:
  uint64_t lost = 0;  // calls, as far as somebody counted them
  uint64_t gaps = 0;  // places where nobody did
  uint64_t rolled_over = 0;
  uint64_t missing = 0;  // blocks that are gone though no lost calls were counted for them

  void gap(uint64_t blocks, bool rolled) {
    (rolled ? rolled_over : gap_blocks_) += blocks;
    gap_ = gap_ || !rolled;
  }

  // Of a block that says `so_far`, or at the end, where it is `in_all`, which the ring says: calls
  // that are to be told as lost, 0 if nobody knows how many, or nothing.
  // A writer that could not drain drops its oldest block, but says so only in the block it then
  // begins. So all that the ring ever lost is told at its first gap: the sum is exact, the place
  // nearly so.
  std::optional<uint64_t> before_block(uint64_t so_far, uint64_t in_all) {
    const bool gap = gap_;
    const uint64_t blocks = gap_blocks_;
    gap_ = false;
    gap_blocks_ = 0;
    if (so_far > lost) return so_far - lost;
    if (!gap) return std::nullopt;
    if (blocks && in_all > lost) return in_all - lost;
    missing += blocks;
    return 0;
  }

  // These were. A repaired trace says 0 with a record, too.
  void add(uint64_t calls) {
    if (calls == 0) ++gaps;
    lost = calls > UINT64_MAX - lost ? UINT64_MAX : lost + calls;
  }

 private:
  bool gap_ = false;
  uint64_t gap_blocks_ = 0;
};

}  // namespace sctrace::read
