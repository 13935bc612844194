#include "formats/read/clock.h"

#include <algorithm>
#include <cmath>

namespace sctrace::read {

namespace {
// ns. Where a clock was read is known to some 20 ns: of a span of 0.1 ms 3 digits are true, and no
// time within it is off by more than that.
constexpr uint64_t near = 100'000;
constexpr long double slowest = 0.05L, fastest = 20;  // ticks a ns: beyond this no anchor is true

bool is_taken(const wire::Anchor& anchor) { return anchor.tsc && anchor.monotonic; }
}  // namespace

// Takes the rate from a pair that is true and longer than the best so far.
bool Clock::measure(const wire::Anchor& a, const wire::Anchor& b) {
  if (!is_taken(a) || !is_taken(b) || b.tsc <= a.tsc || b.monotonic <= a.monotonic) return false;
  const uint64_t span = b.monotonic - a.monotonic;
  const long double rate = static_cast<long double>(b.tsc - a.tsc) / static_cast<long double>(span);
  if (rate < slowest || rate > fastest || span <= span_) return false;
  span_ = span;
  ns_per_tick_ = 1 / rate;
  base_tsc_ = a.tsc;
  base_ns_ = a.monotonic;
  realtime_offset_ = static_cast<int64_t>(a.realtime - a.monotonic);
  return true;
}

Clock::Clock(const std::vector<Pair>& pairs) {
  for (const Pair& pair : pairs) measure(pair.first, pair.last);
  if (span_ < near) {  // short images: those of the trace together may still span enough
    std::vector<wire::Anchor> all;
    for (const Pair& pair : pairs)
      for (const wire::Anchor& anchor : {pair.first, pair.last})
        if (is_taken(anchor)) all.push_back(anchor);
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.tsc < b.tsc; });
    if (!all.empty() && !measure(all.front(), all.back()) && !span_) {
      base_tsc_ = all.front().tsc;
      base_ns_ = all.front().monotonic;
      realtime_offset_ = static_cast<int64_t>(all.front().realtime - all.front().monotonic);
    }
  }
  uncertain_ = span_ < near;
  settle();
}

void Clock::settle() {
  int exponent = 0;
  const long double mantissa = std::frexp(ns_per_tick_, &exponent);  // 0.5 to 1
  factor_ = static_cast<uint64_t>(std::ldexp(mantissa, 64));
  shift_ = static_cast<unsigned>(64 - exponent);
}

uint64_t Clock::ns_rounded(bool before, uint64_t ticks) const {
  const long double away = static_cast<long double>(ticks) * ns_per_tick_;
  constexpr long double end_of_time =
      9e18L;  // what a wild stamp becomes; fits int64 for everybody behind us
  if (before)
    return away >= static_cast<long double>(base_ns_) ? 0 : base_ns_ - static_cast<uint64_t>(away);
  const long double at = static_cast<long double>(base_ns_) + away;
  return at >= end_of_time ? static_cast<uint64_t>(end_of_time)
                           : base_ns_ + static_cast<uint64_t>(away);
}

}  // namespace sctrace::read
