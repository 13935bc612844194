// Threads that were not born under our eyes (live.h).
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// Gives each thread of this process a state, if libc made it; forgets those that are no more.
// Answers how many were new. `strange`: threads that cannot be reached from outside.
uint32_t adopt_threads(uint32_t& strange);
uint32_t looks_begun();  // how often that was done
void learn_threads();    // at start: where libc keeps what leads to a thread's fs

// Two may want to change what a thread is to us; who is first does.
bool try_change(ThreadState& state, wire::Bond from, wire::Bond to);
void make_known(ThreadState& state, uint32_t tid);

// In a thread that is known only, at its first call: from here on it is one of ours. False: it may
// not be, and is not.
bool try_arrive(ThreadState& self);

// A signal that came on a stack that is not ours: the state of its thread, if it is known.
ThreadState* known_thread();

}  // namespace sctrace::preload
