// The closed list of calls that the hallway may not simply repeat, each with its reason, and the
// guard for work that a signal can neither undo nor finish.
//
// rt_sigaction, rt_sigprocmask, rt_sigpending, rt_sigtimedwait, sigaltstack, rt_sigreturn: the
// app's signal world is its own view. rt_sigsuspend, pselect6, ppoll, epoll_pwait(2),
// io_pgetevents: their masks must let our signals in. clone, clone3, fork, vfork: two come back.
// execve, execveat: the new program has to find us, and nothing else.
// exit, exit_group: the thread's ring is given back; a last look at the clock.
// rseq, munmap: a thread that takes its own stack away.
// mmap, munmap, mremap, mprotect, pkey_mprotect, madvise: text comes and goes (mappings.h); close
// too, while the loader has mapped some.
// prctl, seccomp: after the app's filter we make no call of our own.
// membarrier: what we have registered for is not what the program has.
// ptrace: who asks to be traced is left alone (step_aside.h).
// chdir, rename, symlink, mount, …: names lead elsewhere (plain_names.h).
// open, openat, openat2; read, pread64, write, pwrite64 while a descriptor leads to /proc/self
// (own_files.h).
#pragma once
#include "preload/sandbox.h"
#include "preload/thread.h"

namespace sctrace::preload {

bool special(uint32_t nr);
arch::Route special_enter(ThreadState& self, uint32_t nr);
void special_leave(ThreadState& self);

// At the end of such work: what waited for it.
void let_signals_in(ThreadState& self);

// While one lives a signal waits, and so does another thread's filter (sandbox.h). finished() says
// that the call has been answered: a signal that waited finds it returned, not still to be made.
class SpecialWork {
 public:
  explicit SpecialWork(ThreadState& self) : self_(self), before_(self.frame.phase) {
    if (!is_inner()) self.deferred = false;
    set(arch::Phase::special);
    begin_own_calls(self);
  }
  ~SpecialWork();
  SpecialWork(const SpecialWork&) = delete;
  SpecialWork& operator=(const SpecialWork&) = delete;
  void published() {
    if (before_ == arch::Phase::entering) before_ = arch::Phase::entered;
  }
  void finished(long result) {
    self_.frame.result = result;
    self_.in_flight.how = wire::exit_emulated;
    before_ = arch::Phase::returned;
  }

 private:
  void set(arch::Phase phase) {
    asm volatile("" ::: "memory");
    self_.frame.phase = phase;
    asm volatile("" ::: "memory");
  }
  // Within other such work: what waits, waits for that one's end.
  bool is_inner() const { return before_ == arch::Phase::special; }
  ThreadState& self_;
  arch::Phase before_;
};

// The same for work that makes no call of ours, or counts each by itself: a signal waits, and what
// other threads install does not. Without the counting it costs next to nothing.
[[gnu::always_inline]] inline void begin_shelter(ThreadState& self, arch::Phase before) {
  if (before != arch::Phase::special) self.deferred = false;
  asm volatile("" ::: "memory");
  self.frame.phase = arch::Phase::special;
  asm volatile("" ::: "memory");
}

// Where a signal has found us at the end of a call: what waits is what it came for, and is
// delivered once it is understood (signals.cc).
[[gnu::always_inline]] inline void end_shelter(ThreadState& self, arch::Phase before) {
  asm volatile("" ::: "memory");
  self.frame.phase = before;
  asm volatile("" ::: "memory");
  const uint64_t waits =
      self.deferred | self.pending | __atomic_load_n(&self.process->waiting, __ATOMIC_SEQ_CST);
  if (!waits || before == arch::Phase::special) [[likely]]
    return;
  if (self.deferred || self.delivery != Delivery::begun) let_signals_in(self);
}

class ShelteredWork {
 public:
  explicit ShelteredWork(ThreadState& self) : ShelteredWork(self, self.frame.phase) {}
  ShelteredWork(ThreadState& self, arch::Phase before) : self_(self), before_(before) {
    begin_shelter(self, before);
  }
  ~ShelteredWork() { end_shelter(self_, before_); }
  ShelteredWork(const ShelteredWork&) = delete;
  ShelteredWork& operator=(const ShelteredWork&) = delete;

 private:
  ThreadState& self_;
  arch::Phase before_;  // which it is in
};

}  // namespace sctrace::preload
