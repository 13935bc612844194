// surface(): a signal found us somewhere between a site and its return. Afterwards the context is
// the app's: before the call, with the entry undone, or after it, with the exit written. Which, the
// program counter and Frame::phase say; trampoline.S stores in the order that this file reads.
#pragma once
#include "arch/x86_64/sigframe.h"
#include "preload/thread.h"

namespace sctrace::preload {

bool is_ours(uint64_t pc);  // gate or hook
// On a call's way, or a delivery's: the gate, or the hook on this thread's own stack. What of us
// runs on the program's (the constructor, services to an engine's thread) is like its own code.
bool in_hallway(const ThreadState& self, const arch::Context& context);
bool in_stub(uint64_t pc);
bool has_just_begun(uint64_t pc);  // in the trampoline, Frame::phase not yet set for this call
// Is a call in flight, neither undone nor shown? Did the kernel end it with EINTR?
bool is_unfinished(arch::Phase phase);
bool was_interrupted(const ThreadState& self, const arch::Context& context);

void surface(ThreadState& self, arch::Context& context);

// Of a thread that is not ours yet, or no more: out of the stub, if it is in one.
void step_out_of_stub(arch::Context& context);
// The same of a call beside another (arch::Beside), which is not touched.
void step_out(const ThreadState& self, arch::Context& context);
// A single step that natively does not end here.
bool is_step_of_ours(const ThreadState& self, const arch::Context& context);
bool is_returning(uint64_t pc);  // by rt_sigreturn, in the next instruction

// Where to go on if `pc` lies inside a patched window: in its stub. Else pc.
uint64_t resumable(uint64_t pc);

}  // namespace sctrace::preload
