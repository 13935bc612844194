// The one hallway. Both doors lead here: sctrace_enter before the kernel, sctrace_leave after it,
// on the thread's own stack (thread.h), without vector registers, locks, allocation or a call of
// libc. Either may be cut short by a signal at any instruction; signals.cc then undoes or finishes
// the call through undo() (ending.h) or leave.
#pragma once
#include "preload/stack.h"
#include "preload/thread.h"

extern "C" {
uint32_t sctrace_enter(sctrace::preload::ThreadState& self);
void sctrace_leave(sctrace::preload::ThreadState& self);
}

namespace sctrace::preload {

void write_signal(ThreadState& self, const void* siginfo, const Place& interrupted);

// The entry of a call whose frame is filled and which may not come back.
void write_exit(ThreadState& self, int64_t result, uint8_t flags);

// What the long way is made of, for engaged.cc too. tell_entry: the call is counted and, if it is
// wanted (judge.h has its word) or `always`, its entry written; nothing is shown yet. entered: it
// is, and may go to the kernel. enter_specially: its memory too, and what special.cc and exact.cc
// say.
void tell_entry(ThreadState& self, uint32_t nr, const Facts& facts, bool always = false);
void entered(ThreadState& self);
uint32_t enter_specially(ThreadState& self, const Facts& facts);
const Facts& facts_for(uint32_t nr);

void count_besides(ThreadState& self);  // those of Beside::calls: left alone

// A call that came by while doors are shut (live.h): made, not written; then the thread parts.
uint32_t enter_shut(ThreadState& self);

}  // namespace sctrace::preload
