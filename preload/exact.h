// Exact mode (SCTRACE_EXACT=1): the kernel reads and writes copies of ours, so that what is
// recorded is what it used, whatever another thread does to the app's memory meanwhile. Outputs are
// given to the app before the call returns. Which calls: a closed list (exact_calls.h); where such
// a call points at memory that could not be copied, or at more than `exact_most` bytes, it goes the
// ordinary way and is counted (wire::RingHeader::inexact).
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

bool may_be_exact(uint32_t nr);
void make_exact_memory(ThreadState& self);  // for a thread's copies; without it nothing is exact

// Before the call, with Frame::pass as the kernel is to have it: puts copies in place of the app's
// pointers and records what goes in. False: nothing was changed, nothing was recorded.
bool try_enter_exactly(ThreadState& self);
// After it: gives the app what came out, and records it. May be done again from the start.
void leave_exactly(ThreadState& self);

}  // namespace sctrace::preload
