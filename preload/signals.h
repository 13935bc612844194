// The app's signal world as if we weren't there. Every handler that the app installs is entered
// through sctrace_deliver: on our stack, all signals but the guarded blocked. From there the app is
// shown a frame on the stack where it expects one, with the registers of the site: a call in flight
// is undone (the kernel has not run) or finished (it has), so nothing of ours is ever suspended
// under a handler, and a handler that never returns leaves nothing behind.
#pragma once
#include "arch/x86_64/sigframe.h"
#include "preload/thread.h"

namespace sctrace::preload {

void adopt_handlers(Process& process);  // at start: what was installed before us
long install_kernel_action(int signo,
                           const Action& app);  // our entry, or SIG_DFL/SIG_IGN as they are

void give_back_handlers(const Process& process);  // the app's own are in the kernel from here on

long app_sigaction(ThreadState& self, const uint64_t* args);
long app_sigaltstack(ThreadState& self, const uint64_t* args);
void app_sigreturn(ThreadState& self);  // makes the frame at the app's rsp fit for the kernel
void ignore_for_exec(Process& process,
                     bool going);  // SIG_IGN is inherited: the kernel must know ours

// Where to go on if `pc` lies inside a patched window: in its stub. Else pc.
uint64_t resumable(uint64_t pc);

}  // namespace sctrace::preload
