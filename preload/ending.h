// Calls in flight that end otherwise than by sctrace_leave.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// It was not made: nothing of it stays, or its entry is marked cancelled.
void undo(ThreadState& self);

// It ends here, while its work goes on.
void write_end(ThreadState& self, int64_t result, uint8_t how);

// The kernel is about to make it again after a handler: its exit says so.
void write_restarted(ThreadState& self);

}  // namespace sctrace::preload
