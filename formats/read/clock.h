// Ticks of the time stamp counter → nanoseconds, by the anchors of a trace. One clock for all
// images of a trace, so that events of two processes never change order by rounding.
#pragma once
#include <cstdint>
#include <vector>
#include "formats/wire/session.h"

namespace sctrace::read {

class Clock {
 public:
  Clock() { settle(); }
  // Pairs of anchors, one an image; a second of tsc 0 was never taken.
  struct Pair {
    wire::Anchor first, last;
  };
  explicit Clock(const std::vector<Pair>& pairs);

  // CLOCK_MONOTONIC; 0 for what lies before it.
  uint64_t ns(uint64_t tsc) const {
    const bool before = tsc < base_tsc_;
    const uint64_t ticks = before ? base_tsc_ - tsc : tsc - base_tsc_;
    // Twice a call for everybody who reads: the product in whole numbers, a third of the time that
    // the 64 bits of a long double take. Where its rounding could show, that is asked.
    const Wide product = static_cast<Wide>(ticks) * factor_, whole = product >> shift_;
    const Wide one = static_cast<Wide>(1) << shift_;
    constexpr uint64_t usual = uint64_t{1} << 61;
    if ((product & (one - 1)) + ticks >= one || whole >= usual || base_ns_ >= usual) [[unlikely]]
      return ns_rounded(before, ticks);
    const auto away = static_cast<uint64_t>(whole);
    if (before) return away >= base_ns_ ? 0 : base_ns_ - away;
    return base_ns_ + away;
  }
  int64_t realtime_offset() const { return realtime_offset_; }  // add: ns since 1970
  bool is_uncertain() const { return uncertain_; }              // no two anchors 1 ms apart
  double ticks_per_ns() const { return static_cast<double>(1 / ns_per_tick_); }

 private:
  __extension__ using Wide = unsigned __int128;
  bool measure(const wire::Anchor& a, const wire::Anchor& b);
  uint64_t ns_rounded(bool before, uint64_t ticks) const;
  void settle();

  uint64_t base_tsc_ = 0, base_ns_ = 0, span_ = 0;
  int64_t realtime_offset_ = 0;
  // Without anchors any rate is a guess; this is a common one, and is_uncertain() says so.
  long double ns_per_tick_ = 0.4L;
  uint64_t factor_ = 0;  // the same, times 2^shift_: all of its 64 bits
  unsigned shift_ = 0;   // 59 to 69
  bool uncertain_ = true;
};

}  // namespace sctrace::read
