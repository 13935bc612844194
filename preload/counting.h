// SCTRACE_MODE=counts: calls are counted (formats/wire/counters.h), and not recorded.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

void begin_counters(RingWriter& out);    // a ring that is one thread's table of counters
void begin_counting(ThreadState& self);  // a wanted call's entry
void end_counting(ThreadState& self, int64_t result);

}  // namespace sctrace::preload
