#include "preload/special.h"

#include <asm/unistd.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/ptrace.h>

#include <cerrno>

#include "arch/x86_64/barrier.h"
#include "preload/capture.h"
#include "preload/dispatch.h"
#include "preload/dispositions.h"
#include "preload/files.h"
#include "preload/filter.h"
#include "preload/global.h"
#include "preload/ending.h"
#include "preload/load.h"
#include "preload/mappings.h"
#include "preload/own_files.h"
#include "preload/part.h"
#include "preload/plain_names.h"
#include "preload/process.h"
#include "preload/step_aside.h"
#include "preload/trap.h"
#include "preload/waiting.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

namespace sctrace::preload {
namespace {

using arch::Route;

constexpr int sig_block = 0, sig_unblock = 1, sig_setmask = 2;

// The kernel gets a copy of the app's arguments in which one is ours.
void replace(ThreadState& self, int index, const void* ours) {
  if (self.frame.pass != self.pass) {
    for (int i = 0; i < 6; ++i) self.pass[i] = self.frame.args[i];
    self.frame.pass = self.pass;
  }
  self.pass[index] = reinterpret_cast<uint64_t>(ours);
}

// For the time of a call the thread's mask is another: the kernel gets a copy of it in which the
// guarded signals are not. One that waits already, and that it lets in, ends the call at once.
Route wait_under(ThreadState& self, uint64_t mask) {
  self.mask_copy[1] = mask;
  self.mask_copy[0] = mask & ~guarded;
  self.previous_blocked = self.blocked;
  self.in_flight.after = After::masked_wait;
  self.blocked = mask & guarded;
  if (!(waiting(self) & ~mask)) return Route::run;
  self.frame.result = -EINTR;
  return Route::skip;
}

Route masked_wait(ThreadState& self, int index, uint64_t bytes) {
  uint64_t mask;
  const uint64_t address = self.frame.args[index];
  if (!address || bytes != 8 || !read_app(&mask, address, 8)) return Route::run;
  replace(self, index, self.mask_copy);
  return wait_under(self, mask);
}

// pselect6 and io_pgetevents: the last argument points at {set, size}.
Route masked_wait_behind(ThreadState& self, int index) {
  uint64_t mask;
  const uint64_t address = self.frame.args[index];
  if (!address || !read_app(self.set_copy, address, 16) || !self.set_copy[0] ||
      self.set_copy[1] != 8 || !read_app(&mask, self.set_copy[0], 8))
    return Route::run;
  self.set_copy[0] = reinterpret_cast<uint64_t>(self.mask_copy);
  replace(self, index, self.set_copy);
  return wait_under(self, mask);
}

void masked_wait_leave(ThreadState& self) {
  const bool cut = self.in_flight.how == 0 && self.frame.result == -EINTR;
  if (cut) send_waiting(self);
  self.blocked = self.previous_blocked;
}

Route answered(ThreadState& self, long (*by)(ThreadState&, const uint64_t*)) {
  SpecialWork work(self);
  work.finished(by(self, self.frame.args));
  return Route::skip;
}

Route mask_enter(ThreadState& self) {
  self.previous_blocked = self.blocked;
  uint64_t set = 0;
  const uint64_t address = self.frame.args[1];
  if (address && self.frame.args[3] == 8 && try_load(address, set)) {
    self.mask_copy[0] = set & ~guarded;
    replace(self, 1, self.mask_copy);
  }
  self.mask_copy[1] = set;
  self.in_flight.after = After::signal_mask;
  return Route::run;
}

void mask_leave(ThreadState& self) {
  const uint64_t* args = self.frame.args;
  if (self.frame.result < 0) return;
  if (args[1]) {
    const uint64_t set = self.mask_copy[1] & guarded;
    const int how = static_cast<int>(args[0]);
    if (how == sig_block) self.blocked = self.previous_blocked | set;
    if (how == sig_unblock) self.blocked = self.previous_blocked & ~set;
    if (how == sig_setmask) self.blocked = set;
  }
  uint64_t old;
  if (args[2] && try_load(args[2], old) && (old & guarded) != self.previous_blocked) {
    old = (old & ~guarded) | self.previous_blocked;
    write_app(args[2], &old, 8);
  }
  if (waiting(self) & ~self.blocked) [[unlikely]]
    send_waiting(self);
}

void pending_leave(ThreadState& self) {
  uint64_t set;
  const uint64_t address = self.frame.args[0];
  const uint64_t ours = waiting(self);
  if (self.frame.result < 0 || !ours || !read_app(&set, address, 8)) return;
  set |= ours;
  write_app(address, &set, 8);
}

Route wait_enter(ThreadState& self) {
  uint64_t set;
  arch::Info info;
  if (self.frame.args[3] != 8 || !read_app(&set, self.frame.args[0], 8)) return Route::run;
  if (!(set & guarded)) return Route::run;
  self.in_flight.after = After::signal_wait;
  __atomic_store_n(&self.awaited, set & guarded, __ATOMIC_SEQ_CST);  // pairs with would_take()
  SpecialWork work(self);
  const int signo = take_waiting(self, set, info);
  if (!signo && !self.frame.args[1]) replace(self, 1, &self.awaited_info);
  if (!signo) return Route::run;
  const bool told = !self.frame.args[1] || write_app(self.frame.args[1], &info, sizeof info);
  work.finished(told ? signo : -EFAULT);
  return Route::skip;
}

void wait_leave(ThreadState& self) {
  arch::Info info;
  const uint64_t address = self.frame.args[1];
  const auto signo = static_cast<int>(self.frame.result);
  __atomic_store_n(&self.awaited, 0, __ATOMIC_RELAXED);
  if (signo <= 0 || !(guarded & 1ull << (signo - 1)) || self.in_flight.how) return;
  const bool given = address && read_app(&info, address, sizeof info);
  if (!try_understand(self, signo, given ? info : self.awaited_info))
    self.frame.result = -EINTR;
  else if (given)
    write_app(address, &info, sizeof info);
}

// rseq is only remembered, for munmap_enter.
void rseq_leave(ThreadState& self) {
  const uint64_t* args = self.frame.args;
  if (self.frame.result < 0) return;
  const bool registered = !(args[2] & 1);  // RSEQ_FLAG_UNREGISTER
  self.rseq = registered ? args[0] : 0;
  self.rseq_bytes = args[1];
  self.rseq_signature = args[3];
}

void barrier_leave(ThreadState& self) {
  auto& call = self.frame;
  call.result = arch::barriers.answer(static_cast<uint32_t>(call.args[0]), call.result);
}

// A thread that unmaps its own stack and thread control block, to exit in the next instruction: a
// trap or a fault of ours would make the kernel update the rseq area there, and kill it for that.
Route munmap_enter(ThreadState& self) {
  const uint64_t* args = self.frame.args;
  mapping_enter(self, __NR_munmap);
  if (!self.rseq || self.rseq - args[0] >= args[1]) return Route::run;
  SpecialWork work(self);
  if (!may(self, own_others)) return Route::run;
  constexpr long unregister = 1;
  arch::raw_syscall(__NR_rseq, self.rseq, self.rseq_bytes, unregister, self.rseq_signature);
  self.rseq = 0;
  return Route::run;
}

Route prctl_enter(ThreadState& self) {
  const auto option = static_cast<int>(self.frame.args[0]);
  if (option == PR_SET_SECCOMP)
    return filter_enter(self, self.frame.args[1] != SECCOMP_MODE_FILTER, self.frame.args[2], false);
  if (option == PR_SET_SYSCALL_USER_DISPATCH) return answered(self, app_dispatch);
  return Route::run;
}

Route seccomp_enter(ThreadState& self) {
  const uint64_t* args = self.frame.args;
  if (args[0] > SECCOMP_SET_MODE_FILTER) return Route::run;  // only asks
  return filter_enter(self, args[0] == SECCOMP_SET_MODE_STRICT, args[2],
                      args[1] & SECCOMP_FILTER_FLAG_TSYNC);
}

Route ptrace_enter(ThreadState& self) {
  if (self.frame.args[0] == PTRACE_TRACEME) self.in_flight.after = After::traced;
  return Route::run;
}

// It comes back as what the handler interrupted: the mask and rax that it finds there are all that
// there is to tell.
void tell_return(ThreadState& self) {
  const uint64_t mask = self.frame.rsp + offsetof(arch::Context, mask);
  if (self.in_flight.recording && global.config.capture_in) put_whole(self, 0, mask, 8);
  write_end(self, self.frame.result, 0);
}

Route sigreturn_enter(ThreadState& self) {
  self.frame.phase = arch::Phase::special;
  self.deferred = false;
  let_go(self);
  const uint64_t at = app_sigreturn(self, self.frame.rsp);
  self.frame.pass = reinterpret_cast<const uint64_t*>(at);
  if (at != self.frame.rsp) {
    self.frame.result = static_cast<int64_t>(reinterpret_cast<const arch::Context*>(at)->rax);
    tell_return(self);
  }
  self.in_flight.after = After::sigreturn;
  if (waiting(self) & ~self.blocked && !sends_by_fault(self)) send_on_return(self);
  return Route::return_from_signal;
}

}  // namespace

bool special(uint32_t nr) {
  switch (nr) {
    case __NR_rt_sigaction:
    case __NR_rt_sigprocmask:
    case __NR_rt_sigpending:
    case __NR_rt_sigtimedwait:
    case __NR_rt_sigreturn:
    case __NR_rt_sigsuspend:
    case __NR_sigaltstack:
    case __NR_pselect6:
    case __NR_ppoll:
    case __NR_epoll_pwait:
    case __NR_epoll_pwait2:
    case __NR_io_pgetevents:
    case __NR_clone:
    case __NR_clone3:
    case __NR_fork:
    case __NR_vfork:
    case __NR_execve:
    case __NR_execveat:
    case __NR_exit:
    case __NR_exit_group:
    case __NR_mmap:
    case __NR_munmap:
    case __NR_mremap:
    case __NR_mprotect:
    case __NR_pkey_mprotect:
    case __NR_madvise:
    case __NR_rseq:
    case __NR_membarrier:
    case __NR_prctl:
    case __NR_ptrace:
    case __NR_seccomp: return true;
    default: return moves_names(nr) || opens_by_name(nr) || is_watched(nr);
  }
}

Route special_enter(ThreadState& self, uint32_t nr) {
  switch (nr) {
    case __NR_rt_sigaction: return answered(self, app_sigaction);
    case __NR_sigaltstack: return answered(self, app_sigaltstack);
    case __NR_rt_sigprocmask: return mask_enter(self);
    case __NR_rt_sigpending: return self.in_flight.after = After::signals_pending, Route::run;
    case __NR_rt_sigtimedwait: return wait_enter(self);
    case __NR_rt_sigreturn: return sigreturn_enter(self);
    case __NR_rt_sigsuspend: return masked_wait(self, 0, self.frame.args[1]);
    case __NR_ppoll: return masked_wait(self, 3, self.frame.args[4]);
    case __NR_epoll_pwait:
    case __NR_epoll_pwait2: return masked_wait(self, 4, self.frame.args[5]);
    case __NR_pselect6:
    case __NR_io_pgetevents: return masked_wait_behind(self, 5);
    case __NR_clone:
    case __NR_clone3:
    case __NR_fork:
    case __NR_vfork: return clone_enter(self, nr);
    case __NR_execve:
    case __NR_execveat: return exec_enter(self, nr);
    case __NR_exit: thread_leaves(self); return Route::run;
    case __NR_exit_group: process_leaves(self, true); return Route::run;
    case __NR_prctl: return prctl_enter(self);
    case __NR_munmap: return munmap_enter(self);
    case __NR_mmap:
    case __NR_mremap:
    case __NR_mprotect:
    case __NR_pkey_mprotect:
    case __NR_madvise: return mapping_enter(self, nr), Route::run;
    case __NR_close: return closing_file(self), Route::run;
    case __NR_rseq: return self.in_flight.after = After::rseq, Route::run;
    case __NR_membarrier: return self.in_flight.after = After::barrier, Route::run;
    case __NR_seccomp: return seccomp_enter(self);
    case __NR_ptrace: return ptrace_enter(self);
    case __NR_read:
    case __NR_pread64:
    case __NR_write:
    case __NR_pwrite64: return own_file_enter(self), Route::run;
    default: return self.in_flight.after = After::files, Route::run;
  }
}

void special_leave(ThreadState& self) {
  switch (self.in_flight.after) {
    case After::nothing:
    case After::sigreturn: return;
    case After::signal_mask: return mask_leave(self);
    case After::signals_pending: return pending_leave(self);
    case After::signal_wait: return wait_leave(self);
    case After::masked_wait: return masked_wait_leave(self);
    case After::sandbox: return filter_leave(self);
    case After::clone: return clone_leave(self);
    case After::exec: return exec_failed(self);
    case After::rseq: return rseq_leave(self);
    case After::barrier: return barrier_leave(self);
    case After::mapping: return mapping_leave(self);
    case After::files: return tell_files(self);
    case After::parted: return part(self);
    case After::own_file: return own_file_leave(self);
    case After::traced:
      if (self.frame.result == 0) step_aside(self);
      return;
  }
}

SpecialWork::~SpecialWork() {
  set(before_);
  if (is_inner()) {
    end_own_calls(self_);
    return;
  }
  let_signals_in(self_);
  end_own_calls(self_);
}

void let_signals_in(ThreadState& self) {
  if (!self.deferred && !(waiting(self) & ~self.blocked)) [[likely]]
    return;
  begin_own_calls(self);
  if (!self.deferred) {
    send_waiting(self);
  } else {
    if (waiting(self) & ~self.blocked && !self.kept_here)
      send_on_return(self);  // all at once: the kernel's order
    if (self.kept_here)
      sctrace_fault_for_signal();
    else
      swap_mask(self, self.deferred_mask);
    self.deferred = false;  // read by on_signal: until then the mask is not the app's
  }
  end_own_calls(self);
}

}  // namespace sctrace::preload
