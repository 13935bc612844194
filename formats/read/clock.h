// Ticks of the time stamp counter → nanoseconds, by the anchors of a trace. One clock for all
// images of a trace, so that events of two processes never change order by rounding.
#pragma once
#include <cstdint>
#include <vector>
#include "formats/wire/session.h"

namespace sctrace::read {

class Clock {
 public:
  Clock() = default;
  // Pairs of anchors, one an image; a second of tsc 0 was never taken.
  struct Pair {
    wire::Anchor first, last;
  };
  explicit Clock(const std::vector<Pair>& pairs);

  uint64_t ns(uint64_t tsc) const;  // CLOCK_MONOTONIC; 0 for what lies before it
  int64_t realtime_offset() const { return realtime_offset_; }  // add: ns since 1970
  bool is_uncertain() const { return uncertain_; }              // no two anchors 1 ms apart
  double ticks_per_ns() const { return static_cast<double>(1 / ns_per_tick_); }

 private:
  bool measure(const wire::Anchor& a, const wire::Anchor& b);

  uint64_t base_tsc_ = 0, base_ns_ = 0, span_ = 0;
  int64_t realtime_offset_ = 0;
  // Without anchors any rate is a guess; this is a common one, and is_uncertain() says so.
  long double ns_per_tick_ = 0.4L;
  bool uncertain_ = true;
};

}  // namespace sctrace::read
