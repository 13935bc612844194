// How far some work is, on stderr: only where that is a terminal, and only once the work takes
// longer than a moment. Gone without a trace at the end.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>

#include "formats/read/trace.h"

namespace sctrace::cli {

class Bar {
 public:
  Bar();
  ~Bar();
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;
  bool is_wanted() const { return wanted_; }
  void operator()(double part);  // 0 to 1; as often as one likes

 private:
  bool wanted_, shown_ = false;
  std::chrono::steady_clock::time_point began_, last_;
};

// How far a timeline has come, as far as time tells; told now and then.
class Way {
 public:
  Way(const read::Trace& trace, std::function<void(double)> tell);
  void at(uint64_t when) {
    constexpr uint64_t often = 1 << 14;
    if (tell_ && ++items_ % often == 0) tell(when);
  }

 private:
  void tell(uint64_t when) const;
  std::function<void(double)> tell_;
  uint64_t items_ = 0, first_ = 0, last_ = 0;
};

}  // namespace sctrace::cli
