#include "preload/sandbox.h"

#include <asm/unistd.h>
#include <linux/seccomp.h>

#include "preload/filter.h"
#include "preload/global.h"
#include "preload/special.h"
#include "preload/trap.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;
using arch::Route;

struct OwnCall {
  uint32_t nr;
  uint32_t kind;
};
constexpr OwnCall own_calls[] = {
    {__NR_rt_sigprocmask, own_mask},
    {__NR_sigaltstack, own_stack},
    {__NR_gettid, own_name},
    {__NR_getpid, own_name},
    {__NR_mmap, own_memory},
    {__NR_munmap, own_memory},
    {__NR_tgkill, own_memory},
    {__NR_madvise, own_pages},
    {__NR_openat, own_drain},
    {__NR_pwrite64, own_drain},
    {__NR_fallocate, own_drain},
    {__NR_close, own_drain},
    {__NR_rt_tgsigqueueinfo, own_queue},
    {__NR_rt_sigaction, own_action},
    {__NR_prctl, own_arm},
    {__NR_futex, own_futex},
};
constexpr uint32_t everything_own = 2 * own_others - 1;
constexpr uint32_t blocks_ahead = 64;  // threads that may be born where no memory may be mapped

// The trap and handlers end by rt_sigreturn, whatever its arguments: only what is surely not
// allowed counts. Of our other calls all that is not surely allowed does.
uint32_t forbidden_by(uint64_t program) {
  uint32_t forbidden = own_others;
  if (verdict_of(program, __NR_rt_sigreturn) == Verdict::no) forbidden |= own_return;
  for (const OwnCall& call : own_calls)
    if (verdict_of(program, call.nr) != Verdict::yes) forbidden |= call.kind;
  return forbidden;
}

// A thread that has begun to make calls of its own ends them before the filter is there. Nobody
// waits for us meanwhile; one that never ends (stopped by a debugger) is not waited for for ever.
void wait_for_others(Process& process) {
  constexpr int patience = 200'000;
  const bool may_yield = __atomic_load_n(&process.filters, __ATOMIC_SEQ_CST) == 1;
  __atomic_fetch_sub(&process.at_work, 1,
                     __ATOMIC_SEQ_CST);  // two that wait don't do so for each other
  for (int i = 0; i < patience && __atomic_load_n(&process.at_work, __ATOMIC_SEQ_CST); ++i) {
    __builtin_ia32_pause();
    if (may_yield) raw_syscall(__NR_sched_yield);
  }
  __atomic_fetch_add(&process.at_work, 1, __ATOMIC_SEQ_CST);
}

}  // namespace

Route filter_enter(ThreadState& self, bool strict, uint64_t program, bool for_all) {
  Process& process = *self.process;
  self.in_flight.after = After::sandbox;
  self.disarmed = false;
  SpecialWork work(self);
  const uint32_t forbidden = strict ? everything_own & ~own_return : forbidden_by(program);
  if (forbidden & own_memory && may(self, own_memory)) have_blocks(blocks_ahead);
  __atomic_fetch_add(&process.filters, 1, __ATOMIC_SEQ_CST);
  const uint32_t before = __atomic_fetch_or(&process.forbidden, forbidden, __ATOMIC_SEQ_CST);
  if (for_all) wait_for_others(process);
  // Calls of sites that aren't rewritten are the app's own business from here on.
  if (forbidden & ~before & own_return && global.sud && process.follow) {
    disarm();
    self.disarmed = true;
  }
  return Route::run;
}

void filter_undone(ThreadState& self) {
  Process& process = *self.process;
  if (__atomic_sub_fetch(&process.filters, 1, __ATOMIC_SEQ_CST) == 0)
    __atomic_store_n(&process.forbidden, 0, __ATOMIC_SEQ_CST);
  if (self.disarmed && may(self, own_arm)) try_arm();
}

// More than 0 is a listener that was asked for; or else a thread that could not have the filter,
// too, and so nobody has it.
void filter_leave(ThreadState& self) {
  const int64_t result = self.frame.result;
  const bool listens = static_cast<uint32_t>(self.frame.nr) == __NR_seccomp &&
                       self.frame.args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER;
  if (result < 0 || (result > 0 && !listens)) filter_undone(self);
}

uint64_t swap_mask(const ThreadState& self, uint64_t mask) {
  constexpr int sig_setmask = 2;
  if (!may(self, own_mask) && may(self, own_return)) return sctrace_fault_for_mask(mask, 0);
  uint64_t before = 0;
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &mask, &before, 8);
  return before;
}

void set_mask_and_stack(const ThreadState& self, uint64_t mask) {
  if (!may(self, own_stack) && may(self, own_return)) {
    sctrace_fault_for_mask(mask, block_of(self));
    return;
  }
  set_stack(self);
  swap_mask(self, mask);
}

}  // namespace sctrace::preload
