// A thread that was not born under our eyes becomes one of ours: at its first call through a door,
// or led here by `sctrace ctl` (formats/wire/live.h), out of a call that it sleeps in or from
// anywhere else.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// In a thread that is known only, at its first call: from here on it is one of ours. False: it may
// not be, and is not.
bool try_arrive(ThreadState& self);

// A signal that came on a stack that is not ours: the state of its thread, if it is known.
ThreadState* known_thread();

void tell_files_again();  // by the next who arrives: which files are open

}  // namespace sctrace::preload

// In a thread on its way, all signals blocked: `context` is what it goes back to.
extern "C" void sctrace_led(sctrace::preload::ThreadState* self, sctrace::arch::Context* context);
