// The app's seccomp filters and our own calls. From before a filter is installed on we ask the
// kernel for nothing that it might forbid: what it says to each kind of call of ours is worked out
// from the program itself. Who is in the middle of a call of ours when another thread installs one
// for all is waited for. What births cannot do without (masks, the alternate stack) has a way by no
// call at all.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// Kinds of our own calls, as bits of Process::forbidden.
enum Own : uint32_t {
  own_mask = 1,       // rt_sigprocmask
  own_stack = 2,      // sigaltstack
  own_name = 4,       // gettid, getpid
  own_memory = 8,     // mmap, munmap, tgkill: blocks for threads
  own_pages = 16,     // madvise
  own_drain = 32,     // openat, pwrite64, fallocate, close
  own_queue = 64,     // rt_tgsigqueueinfo
  own_action = 128,   // rt_sigaction
  own_arm = 256,      // prctl
  own_return = 512,   // rt_sigreturn, without which no trap and no handler comes back
  own_futex = 1024,   // futex, without which a thread cannot wait for a controller
  own_others = 2048,  // whatever else: to look at files and text
};

// Between begin_own_calls() and end_own_calls(), or it may become untrue before the call is made.
inline bool may(const ThreadState& self, uint32_t what) {
  return !(__atomic_load_n(&self.process->forbidden, __ATOMIC_SEQ_CST) & what);
}
// They nest. What a signal cuts short ends there (signals.cc): it is never gone on with.
inline void begin_own_calls(ThreadState& self) {
  if (self.own_work++) return;
  self.own_work_of = self.process;
  __atomic_fetch_add(&self.process->at_work, 1, __ATOMIC_SEQ_CST);  // pairs with wait_for_others()
}
inline void cut_own_calls(ThreadState& self) {
  if (!self.own_work) return;
  self.own_work = 0;
  __atomic_fetch_sub(&self.own_work_of->at_work, 1, __ATOMIC_SEQ_CST);
}
inline void end_own_calls(ThreadState& self) {
  if (self.own_work == 1) return cut_own_calls(self);
  if (self.own_work) --self.own_work;
}

// prctl(PR_SET_SECCOMP) and seccomp().
arch::Route filter_enter(ThreadState& self, bool strict, uint64_t program, bool for_all);
void filter_leave(ThreadState& self);
void filter_undone(ThreadState& self);  // a signal came first: it was not installed

// The thread's mask in the kernel; answers the one before. By a fault of ours, whose frame the
// kernel returns from with the mask that we put there, where no call may be made.
uint64_t swap_mask(const ThreadState& self, uint64_t mask);
// The same, and our stack as alternate stack: a new thread's first and last step.
void set_mask_and_stack(const ThreadState& self, uint64_t mask);

}  // namespace sctrace::preload
