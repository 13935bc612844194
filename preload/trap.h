// The second door: Syscall User Dispatch. A syscall instruction outside our gate becomes SIGSYS;
// trapped() makes the handler's return lead into the same trampoline that stubs jump to.
#pragma once
#include "arch/x86_64/sigframe.h"
#include "preload/thread.h"

namespace sctrace::preload {

long try_arm();  // for the calling thread; 0, or the kernel's error
void disarm();
bool is_int80(const arch::Info& info);  // of a trap
void trapped(ThreadState& self, const arch::Info& info, arch::Context& context);

// So that a call comes again that a filter of the program has answered by SIGSYS.
void make_again(const arch::Info& info, arch::Context& context);

// A signal in a thread that we could not give a state: straight to the app's handler. Its address,
// or 0.
uint64_t bare_signal(int signo, const arch::Info& info, arch::Context& context);

}  // namespace sctrace::preload
