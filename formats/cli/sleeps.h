// Threads that sleep in the kernel: what a stop by ptrace makes of that.
#pragma once
#include <map>

#include "formats/cli/lend.h"

namespace sctrace::cli {

enum class Trace : uint8_t {
  none,       // it goes on as it was; or the thread runs
  time_anew,  // its time to wait begins anew
  other,      // it may end in another way than by itself: EINTR, or half done
};
Trace trace_of_stop(const Task& task);

// Asked again and again, finds those that have gone to sleep since it was last asked: their time
// has hardly begun.
class Sleeps {
 public:
  bool has_just_begun(uint32_t pid, uint32_t tid);

 private:
  std::map<uint32_t, uint64_t> turns_;  // how often each had got a processor
};

}  // namespace sctrace::cli
