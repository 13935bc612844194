#include "preload/arrive.h"

#include <asm/unistd.h>

#include "preload/adopt.h"
#include "preload/exact.h"
#include "preload/files.h"
#include "preload/global.h"
#include "preload/live.h"
#include "preload/mappings.h"
#include "preload/process.h"
#include "preload/rings.h"
#include "preload/special.h"
#include "preload/trap.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;
using wire::Bond;

constexpr int sig_block = 0, sig_setmask = 2;
constexpr uint64_t most = ~guarded;  // a copy of ours may fault

std::atomic<uint32_t> files_are_told;

bool is_of(const ThreadState& state, void* tid) {
  return state.tid == *static_cast<uint32_t*>(tid) && state.pid == main_process.pid;
}

// A child of a vfork that went around us has our fs, and is not this thread.
bool try_begin(ThreadState& self) {
  return is_open() && static_cast<uint32_t>(raw_syscall(__NR_gettid)) == self.tid &&
         try_change(self, Bond::known, Bond::here);
}

// `mask`: as the app has it. None of these calls has a say in how one that it sleeps in goes on
// (restart_syscall).
void become_ours(ThreadState& self, uint64_t mask) {
  const Altstack ours = stack_of(self);
  Altstack theirs{};
  raw_syscall(__NR_sigaltstack, &ours, &theirs);
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &most, nullptr, 8);
  theirs.flags &= ~1;  // SS_ONSTACK
  if (theirs.flags & 2) theirs = {.base = 0, .flags = 0, .reserved = 0, .size = 0};
  self.alternate = theirs;
  self.blocked = mask & guarded;
  self.turn = live.turn.load(std::memory_order_relaxed);
  if (global.config.exact) make_exact_memory(self);
  const bool ring = self.kept ? take_kept_ring(self) : take_ring(self);
  if (ring || self.out.header) {
    write_thread_record(self);
    if (!files_are_told.exchange(1, std::memory_order_relaxed)) tell_files_at_start(self);
  }
  if (global.sud) try_arm();
}

}  // namespace

void tell_files_again() { files_are_told.store(0, std::memory_order_relaxed); }

bool try_arrive(ThreadState& self) {
  constexpr uint32_t needed = own_stack | own_mask | own_name | own_arm | own_return;
  constexpr int patience = 2'000'000;
  if (self.bond != Bond::known || !may(self, needed)) return false;
  // Handlers are being taken over: it must not see that.
  if (static_cast<uint32_t>(self.frame.nr) == __NR_rt_sigaction)
    for (int i = 0; i < patience && live.busy.load() && !is_open(); ++i) __builtin_ia32_pause();
  if (!try_begin(self)) return false;
  SpecialWork work(self);
  uint64_t mask = self.early_mask;
  if (!self.early) raw_syscall(__NR_rt_sigprocmask, sig_block, nullptr, &mask, 8);
  become_ours(self, mask);
  const uint64_t open = mask & ~guarded;
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &open, nullptr, 8);
  self.early = false;
  return true;
}

ThreadState* known_thread() {
  if (!live.turn.load(std::memory_order_relaxed)) return nullptr;
  auto tid = static_cast<uint32_t>(raw_syscall(__NR_gettid));
  ThreadState* state = find_thread(is_of, &tid);
  return state && state->bond == Bond::known ? state : nullptr;
}

}  // namespace sctrace::preload

using namespace sctrace::preload;

// What waits for it meanwhile is sent behind all of this, and comes where it goes back to.
extern "C" void sctrace_led(ThreadState* self, sctrace::arch::Context* context) {
  constexpr uint32_t needed =
      own_stack | own_mask | own_name | own_arm | own_return | own_queue | own_others;
  constexpr uint64_t all = ~0ull;
  if (!may(*self, needed) || !try_begin(*self)) return;
  SpecialWork work(*self);
  become_ours(*self, self->early ? self->early_mask : context->mask);
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &all, nullptr, 8);
  context->mask &= ~guarded;
  self->early = false;
}
