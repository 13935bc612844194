// Who records where after clone, fork, vfork and exec; births and deaths of threads.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

extern Process main_process;

arch::Route clone_enter(ThreadState& self, uint32_t nr);
void clone_leave(ThreadState& self);    // in the parent, when the kernel answered
void thread_leaves(ThreadState& self);  // exit: its ring and block are given back
// exit_group (for good) and execve: a last anchor of the clock.
void process_leaves(ThreadState& self, bool for_good);
void take_anchor();

arch::Route exec_enter(ThreadState& self, uint32_t nr);
void exec_failed(ThreadState& self);
void free_exec_memory(ThreadState& self);

}  // namespace sctrace::preload
