// The way of a call that engines look at: beside the short one, which tests nothing for it (such
// calls are not `is_wanted`, facts.h). What an engine alters is put into the frame itself, so that
// all of the library treats the call as it is made; what was asked is kept in ThreadState::engaged,
// and is back in the frame whenever the program goes on, be it by a signal's way.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

uint32_t enter_engaged(ThreadState& self);
void leave_engaged(ThreadState& self);         // exit callbacks
void write_altered_result(ThreadState& self);  // if the program sees another than the kernel gave
void end_engaged(ThreadState& self);           // all is written: the frame is the program's again
void undo_engaged(ThreadState& self);          // the call was not made, or is to be made again

}  // namespace sctrace::preload
