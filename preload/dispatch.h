// The program's own Syscall User Dispatch, as Wine uses it. The kernel has one a thread, and that
// is our second door: so the program's is done here, by the kernel's rules. A call that it sends
// back is none: it is not recorded, the SIGSYS is.
#pragma once
#include "arch/x86_64/sigframe.h"
#include "preload/thread.h"

namespace sctrace::preload {

// prctl(PR_SET_SYSCALL_USER_DISPATCH, ...).
long app_dispatch(ThreadState& self, const uint64_t* args);

// Has some thread had one? From then on no call goes the short way, which asks for none, and the
// doors stay.
bool is_any_dispatching();
uint8_t as_dispatch_wants(uint8_t what);  // Facts::what

// Is a call sent back that returns to `behind`? Reads the selector.
bool sends_back(const ThreadState& self, uint64_t behind);
// At the entry of a call, if its thread has one: comes back only if the call is to be made.
void ask_dispatch(ThreadState& self);
// In the fault by which it does not: the call as the handler shall find it, its number where it
// was.
void send_back(ThreadState& self);
bool is_of_dispatch(const arch::Info& info);

}  // namespace sctrace::preload
