// Threads that were not born under our eyes (live.h).
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// Gives each thread of this process a state, if libc made it, or `strangers` are wanted too;
// forgets those that are no more. Answers how many were new. `strange`: how many have none. Doors
// lead to us whose slot is sealed; until then they lead past us, to the stub's own call.
uint32_t adopt_threads(uint32_t& strange, bool strangers, bool sealed);
uint32_t looks_begun();  // how often that was done
void learn_threads();    // at start: where libc keeps what leads to a thread's fs

// Two may want to change what a thread is to us; who is first does.
bool try_change(ThreadState& state, wire::Bond from, wire::Bond to);
void make_known(ThreadState& state, uint32_t tid, Slot slot);

}  // namespace sctrace::preload
