#include "preload/part.h"

#include <asm/unistd.h>
#include <linux/sched.h>

#include "preload/adopt.h"
#include "preload/capture.h"
#include "preload/global.h"
#include "preload/handlers.h"
#include "preload/live.h"
#include "preload/mappings.h"
#include "preload/process.h"
#include "preload/sandbox.h"
#include "preload/special.h"
#include "preload/surface.h"
#include "preload/trap.h"
#include "preload/waiting.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;
using wire::Bond;

constexpr int sig_setmask = 2;

// Which `off`, in the upper half, and how many have to part yet because of it.
std::atomic<uint64_t> unparted;

std::atomic<bool> any_at_birth;

// One less of them. True: it was the last.
bool was_last(uint32_t off) {
  uint64_t now = unparted.load(std::memory_order_seq_cst);
  while (now >> 32 == off && static_cast<uint32_t>(now))
    if (unparted.compare_exchange_weak(now, now - 1)) return static_cast<uint32_t>(now - 1) == 0;
  return false;  // of an earlier one, which nobody waits for any more
}

void point_away(const ThreadState& self) {
  if (self.slot != Slot::leave) unseal();
}

// A call under way, from which a handler has led here, will come back to us, and is not ours.
void keep_ring(ThreadState& self) {
  self.in_flight.recording = 0;
  self.in_flight.out = Out::none;
  if (self.out.header) self.kept = self.out.header, self.kept_slot = self.out.slot;
  self.out.leave_ring();
}

Altstack as_the_kernel_takes_it(const Altstack& alternate) {
  Altstack stack = alternate;
  if (!stack.size) stack.flags |= 2;  // SS_DISABLE
  return stack;
}

// The kernel changes it only for who is not on it: for the time of the call we say so. (Returning
// from a signal would not do: since Linux 6.10 it looks at where the handler was.)
Altstack give_back_stack(const ThreadState& self) {
  static const uint64_t elsewhere[2] = {};
  const Altstack theirs = as_the_kernel_takes_it(self.alternate);
  sctrace_call_on(reinterpret_cast<uint64_t>(elsewhere + 1), __NR_sigaltstack, &theirs, nullptr);
  return theirs;
}

// Not for long by itself: a thousand that spin keep the one from its work that they wait for.
void wait_for_handlers() {
  constexpr int spins = 500, sleeps = 500;
  for (int i = 0; i < spins + sleeps && live.busy.load() && !live.handlers_theirs.load(); ++i) {
    int64_t pause[2] = {0, 100'000};
    if (i < spins)
      __builtin_ia32_pause();
    else
      raw_syscall(__NR_pselect6, 0, 0, 0, 0, pause, 0);
  }
}

// Who is not counted here keeps nobody waiting; who is counted and never comes leaves the guarded
// signals with us, which nobody notices.
void has_parted(ThreadState& self) {
  // It is here, whether or not a look at all threads, begun before its birth perhaps, finds it.
  __atomic_store_n(&self.seen, looks_begun(), __ATOMIC_SEQ_CST);
  self.turn = live.turn.load(std::memory_order_relaxed);
  Bond away = Bond::away;
  __atomic_store(&self.bond, &away, __ATOMIC_SEQ_CST);  // pairs with open_all() in live.cc
  if (is_open()) {  // again, meanwhile: whoever looked at us before found us here
    if (try_change(self, Bond::away, Bond::making)) {
      if (self.slot != Slot::leave) seal_again();
      make_known(self, self.tid, self.slot == Slot::leave ? Slot::leave : Slot::write);
    }
    return;
  }
  const uint32_t off = __atomic_exchange_n(&self.counted, 0, __ATOMIC_SEQ_CST);
  if (!off || !was_last(off) || !try_lock_text(0)) return;
  if (!is_open() && unparted.load(std::memory_order_seq_cst) >> 32 == off)
    give_back_rest(main_process);
  unlock_text();
}

// Where a handler of the app, not of ours any more, runs in the thread that is about to part: the
// kernel's frames of it say that our stack is the thread's, and returning through them would make
// it so again. They are looked for from `sp` up, and say what is true.
void mend_frames(const ThreadState& self, uint64_t sp) {
  constexpr uint64_t page = 4096, pages = 16;
  constexpr auto behind = [](uint64_t member) { return member - offsetof(arch::Context, stack); };
  const Altstack ours = stack_of(self), theirs = as_the_kernel_takes_it(self.alternate);
  uint64_t words[page / 8];
  sp &= ~7ull;
  for (uint64_t at = sp, left = pages, end; left--; at = end) {
    end = (at + page) & ~(page - 1);
    if (!read_app(words, at, end - at)) return;
    for (uint64_t i = 0; i < (end - at) / 8; ++i) {
      const uint64_t place = at + i * 8;
      uint64_t bytes, mask, rsp;
      if (words[i] != ours.base || !read_app(&bytes, place + 16, 8) || bytes != ours.size ||
          !read_app(&mask, place + behind(offsetof(arch::Context, mask)), 8) ||
          !read_app(&rsp, place + behind(offsetof(arch::Context, rsp)), 8))
        continue;
      mask |= self.blocked;
      write_app(place, &theirs, sizeof theirs);
      write_app(place + behind(offsetof(arch::Context, mask)), &mask, 8);
      if (at - block_of(self) >= block_bytes || rsp - block_of(self) < block_bytes) continue;
      end = rsp & ~7ull, left = pages;  // where the thread was, on a stack of its own
      break;
    }
  }
}

}  // namespace

bool may_part(const ThreadState& self) {
  return self.process == &main_process && !self.borrowed_from && self.bond == Bond::here;
}

bool may_part_at_birth(const ThreadState& self) {
  return self.child_flags & CLONE_VM || may(self, own_stack);
}

void part_at_birth(ThreadState& self) {
  any_at_birth.store(true, std::memory_order_relaxed);
  point_away(self);
  if (!(self.child_flags & CLONE_VM)) give_back_stack(self);  // else the kernel has taken it away
  swap_mask(self, (self.child_mask & ~guarded) | self.blocked);
}

bool has_any_parted_at_birth() { return any_at_birth.load(std::memory_order_relaxed); }

bool may_part_at(const ThreadState& self, uint64_t sp) {
  return may_part(self) && sp - block_of(self) >= block_bytes;
}

namespace {

// In a handler of ours, whose return is the last step: it leaves our stack, opens the mask and goes
// to the program at once. No signal may find the thread on our stack once it has parted.
void part_by_return(ThreadState& self, arch::Context& context) {
  constexpr uint64_t all = ~0ull;
  wait_for_handlers();
  mend_frames(self, context.rsp);  // first: a copy of it may fault
  context.mask = (context.mask & ~guarded) | self.blocked;
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &all, nullptr, 8);
  if (waiting(self)) send_all_waiting(self);
  disarm();
  point_away(self);
  const Altstack theirs = give_back_stack(self);
  __builtin_memcpy(&context.stack, &theirs, sizeof theirs);
  keep_ring(self);
  has_parted(self);
}

// Where the handler of that may be the program's again already: only a thread that was born
// meanwhile, and so has no frames on its stack, if that is its own.
void part_by_calls(ThreadState& self) {
  constexpr uint64_t all = ~0ull;
  uint64_t mask = 0;
  wait_for_handlers();
  if (!(self.child_flags & CLONE_VM)) mend_frames(self, self.frame.rsp);
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &all, &mask, 8);
  if (waiting(self)) send_all_waiting(self);
  if (global.sud) disarm();
  point_away(self);
  give_back_stack(self);
  keep_ring(self);
  mask = (mask & ~guarded) | self.blocked;
  has_parted(self);
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &mask, nullptr, 8);
}

}  // namespace

void part_by_trap(ThreadState& self, arch::Context& context) {
  context.rip -= 2;  // the call is still to be made; rax has its number
  part_by_return(self, context);
}

void part_by_fault(ThreadState& self, arch::Context& context) {
  surface(self, context);  // behind the call
  cut_own_calls(self);
  part_by_return(self, context);
}

void part(ThreadState& self) {
  constexpr uint32_t needed = own_stack | own_mask | own_arm | own_return;
  if (!may_part_at(self, self.frame.rsp) || !may(self, needed)) return;
  if (self.delivery == Delivery::begun) return;  // at its next call: a signal is to be delivered
  keep_ring(self);
  self.in_flight.after = After::nothing;
  if (__atomic_load_n(&self.counted, __ATOMIC_SEQ_CST))
    sctrace_fault_for_parting();
  else
    part_by_calls(self);
}

uint64_t cut_calls() {
  uint64_t calls = 0;
  const auto cut = [](ThreadState& state, void* count) {
    if (state.frame.phase != arch::Phase::entered || state.process != &main_process) return;
    auto* word = reinterpret_cast<uint32_t*>(&state.in_flight);
    InFlight call = state.in_flight;
    uint32_t before = as_word(call);
    if (!call.recording || call.engaged) return;
    call.recording = 0;
    if (call.out == Out::taken) call.out = Out::none;
    if (call.after == After::nothing) call.after = After::parted;
    *static_cast<uint64_t*>(count) += __atomic_compare_exchange_n(
        word, &before, as_word(call), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
  };
  each_thread(cut, &calls);
  return calls;
}

// A thread that parts meanwhile either finds that it is counted, or is found to be gone.
void await_parting() {
  const auto look = [](ThreadState& state, void* data) {
    const uint32_t off = *static_cast<uint32_t*>(data);
    try_change(state, Bond::known, Bond::away);  // first: or it arrives, and is not counted
    if (!may_part(state)) return;
    unparted.fetch_add(1, std::memory_order_seq_cst);
    __atomic_store_n(&state.counted, off, __ATOMIC_SEQ_CST);
    if (!may_part(state) && __atomic_exchange_n(&state.counted, 0, __ATOMIC_SEQ_CST) == off)
      unparted.fetch_sub(1, std::memory_order_seq_cst);
  };
  uint32_t off = static_cast<uint32_t>(unparted.load(std::memory_order_relaxed) >> 32) + 1;
  if (!off) off = 1;                                                   // 0: not counted
  unparted.store(uint64_t{off} << 32 | 1, std::memory_order_seq_cst);  // one for ourselves
  each_thread(look, &off);
  if (was_last(off)) give_back_rest(main_process);
}

}  // namespace sctrace::preload
