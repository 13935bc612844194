// A process that asks to be traced (PTRACE_TRACEME) is looked at by a program that counts its
// calls, reads its text and its registers. So we leave it: text, signals, masks and stacks are the
// app's own from there on, nothing of us is asked again, and the trace counts it as unseen.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// Where its memory is its own and no other thread runs in it; else nothing is done.
void step_aside(ThreadState& self);

// Is this thread traced by a program that we are in? What it executes is then none of our business.
bool is_traced_by_ours();

}  // namespace sctrace::preload
