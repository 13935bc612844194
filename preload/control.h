// The traced side of the control device (formats/wire/control.h): one engine of our own, outermost.
// A thread that stops waits in its own slot of shared memory: it holds no lock and no descriptor,
// and before its call is made a signal's handler runs as if the call had not been reached.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

void open_control(const char* setting);    // PATH or wait:PATH
void wait_for_verdict(ThreadState& self);  // of the entry that the device stopped
void withdraw(ThreadState& self);          // that entry is not to be any more
void wait_for_controller();                // wait:PATH, at the end of the start

}  // namespace sctrace::preload
