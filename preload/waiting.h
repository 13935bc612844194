// Guarded signals that may not be delivered yet: the app blocks them, or we are in the midst of
// what a signal can neither undo nor finish. The kernel never has them blocked while the app runs
// (a blocked fault or trap kills), so we do its waiting: per thread for what was sent to a thread,
// per process for what was sent to the process, one of a kind each, as the kernel keeps them.
#pragma once
#include "arch/x86_64/sigframe.h"
#include "preload/thread.h"

namespace sctrace::preload {

// For later: when the thread, or any thread, unblocks it or asks for it.
void keep(ThreadState& self, int signo, const arch::Info& info);

// What came may only say that something waits for the process: then `info` is of that. False if it
// has been taken already: nothing came.
bool try_understand(ThreadState& self, int signo, arch::Info& info);

// Those that wait for this thread, as rt_sigpending tells them.
uint64_t waiting(const ThreadState& self);
uint64_t waiting(const Process& process);  // of these, those that were sent to the process

// rt_sigtimedwait: one of `set`, and what came with it; 0 if none waits.
int take_waiting(ThreadState& self, uint64_t set, arch::Info& info);

// Those of them that the app does not block come now, inside this call.
void send_waiting(ThreadState& self);

// The same, but they come when the kernel has been given the signal frame that we are about to
// return to. Until then no signal comes at all, and nothing of ours may touch the app's memory.
void send_on_return(ThreadState& self);

// Where a filter of the app might forbid to send: they come by a fault of ours instead, or are
// delivered by whoever is at a delivery.
bool sends_by_fault(const ThreadState& self);

// A signal that found us between the two: `context` is ours.
void hold_until_return(ThreadState& self, int signo, const arch::Info& info,
                       arch::Context& context);

// At the begin of a signal's delivery: what was held is let go again.
void let_go(ThreadState& self);

// All of them, whether blocked or not: the kernel has them blocked, and keeps them from here on.
void send_all_waiting(ThreadState& self);

void forget_waiting(ThreadState& self);  // in a new process

}  // namespace sctrace::preload
