// What threads counted in place of records (SCTRACE_MODE=counts, formats/wire/counters.h).
#pragma once
#include <functional>

#include "formats/read/trace.h"
#include "formats/wire/counters.h"

namespace sctrace::read {

// One thread's calls of one number. Times are ticks of the clock.
struct Counted {
  uint32_t pid, tid, nr;
  uint64_t calls, errors, ticks, shortest, longest;
  uint64_t steps[wire::counter_steps];
};

bool has_counters(const Trace& trace);
// All that a thread has made; nothing for an image that has records.
void each_counted(const Image& image, const std::function<void(const Counted&)>& act);

}  // namespace sctrace::read
