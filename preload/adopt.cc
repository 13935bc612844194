#include "preload/adopt.h"

#include <asm/unistd.h>
#include <fcntl.h>

#include "preload/capture.h"
#include "preload/exact.h"
#include "preload/files.h"
#include "preload/global.h"
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

constexpr int sig_block = 0, sig_setmask = 2;

uint64_t robust_offset;  // of libc's list of robust locks from a thread's fs; 0: not known
uint32_t looks;          // how often all threads were looked at
std::atomic<uint32_t> files_are_told;

// The list is registered by the very thread, as libc begins it: so this is its own fs, or none.
uint64_t fs_of(uint32_t tid) {
  uint64_t list = 0, bytes = 0;
  if (!robust_offset || raw_syscall(__NR_get_robust_list, tid, &list, &bytes) < 0 || !list)
    return 0;
  return list - robust_offset;
}

bool is_of(const ThreadState& state, void* tid) {
  return state.tid == *static_cast<uint32_t*>(tid) && state.pid == main_process.pid;
}

bool is_trusted(const ThreadState* state, uint32_t tid) {
  return state && state->use.load(std::memory_order_acquire) == Use::live && state->tid == tid &&
         state->pid == main_process.pid;
}

enum class Met : uint8_t { known, fresh, strange };

Met meet(uint32_t tid) {
  const uint64_t fs = fs_of(tid);
  // A slot that leads to another's: a child of a vfork has its parent's fs for a while.
  ThreadState* state = fs ? state_at(fs) : nullptr;
  if ((state || !fs) && !is_trusted(state, tid)) state = find_thread(is_of, &tid);
  if (state) state->seen = looks;
  if (state && state->bond != Bond::away) return Met::known;
  if (!fs) return Met::strange;  // or not begun yet
  if (!state && (state = try_new_thread(nullptr))) state->bond = Bond::away;
  if (!state) return Met::strange;
  state->seen = looks;
  if (!try_change(*state, Bond::away, Bond::making)) return Met::known;
  make_known(*state, tid);
  // A thread that has ended meanwhile may have left its stack to another, which is not this one: if
  // it is there yet, its slot was its own, and whoever gets the stack later gets it cleared.
  if (try_point(fs, *state) && fs_of(tid) == fs) return Met::fresh;
  point_nowhere(fs, *state);
  state->bond = Bond::away;
  forget_thread(*state);
  return Met::strange;
}

struct Entry {  // linux_dirent64
  uint64_t inode, offset;
  uint16_t bytes;
  uint8_t type;
  char name[5];
};

template <typename Act>
void each_task(Act act) {
  const long folder =
      raw_syscall(__NR_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  alignas(8) char some[4096];
  for (long n; (n = raw_syscall(__NR_getdents64, folder, some, sizeof some)) > 0;)
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const Entry*>(some + at);
      uint32_t tid = 0;
      for (const char* c = entry->name; *c >= '0' && *c <= '9'; ++c)
        tid = tid * 10 + static_cast<uint32_t>(*c - '0');
      if (tid) act(tid);
      at += entry->bytes;
    }
  raw_syscall(__NR_close, folder);
}

// Who has gone while nobody looked. A fork's child has the states of its parent's threads, whose
// rings are theirs.
void forget_the_dead() {
  const auto look = [](ThreadState& state, void*) {
    if (state.seen == looks || state.process != &main_process) return;
    if (state.bond == Bond::here && state.pid == main_process.pid) return;  // as it says itself
    if (state.kept && state.pid == main_process.pid) give_kept_ring_back(state);
    state.kept = nullptr;
    forget_thread(state);
  };
  each_thread(look, nullptr);
}

}  // namespace

// Two may want the same; the thread itself goes by what it is.
bool try_change(ThreadState& state, Bond from, Bond to) {
  return __atomic_compare_exchange(&state.bond, &from, &to, false, __ATOMIC_SEQ_CST,
                                   __ATOMIC_SEQ_CST);
}

void make_known(ThreadState& state, uint32_t tid) {
  state.process = &main_process;
  state.pid = main_process.pid;
  state.tid = tid;
  state.parent = 0;
  state.began = wire::Began::adopted;
  state.frame.phase = arch::Phase::left;
  state.in_flight = {};
  state.blocked = state.pending = 0;
  state.alternate = {.base = 0, .flags = 2 /* SS_DISABLE */, .reserved = 0, .size = 0};
  state.slot = Slot::write;
  state.judged = {};
  state.early = false;
  state.out.leave_ring();  // the long way at its first call
  state.turn = 0;
  state.counted = false;
  Bond known = Bond::known;
  __atomic_store(&state.bond, &known, __ATOMIC_SEQ_CST);
}

uint32_t looks_begun() { return __atomic_load_n(&looks, __ATOMIC_SEQ_CST); }

void learn_threads() {
  uint64_t fs = 0, list = 0, bytes = 0, block[3];
  raw_syscall(__NR_arch_prctl, 0x1003 /* ARCH_GET_FS */, &fs);
  if (raw_syscall(__NR_get_robust_list, 0, &list, &bytes) < 0 || !list || !fs) return;
  __builtin_memcpy(block, reinterpret_cast<const void*>(fs), sizeof block);
  if (block[0] == fs && block[2] == fs && list > fs && list - fs < 4096) robust_offset = list - fs;
}

uint32_t adopt_threads(uint32_t& strange) {
  uint32_t fresh = 0;
  __atomic_fetch_add(&looks, 1, __ATOMIC_SEQ_CST);
  strange = 0;
  files_are_told.store(0, std::memory_order_relaxed);
  each_task([&](uint32_t tid) {
    const Met met = meet(tid);
    fresh += met == Met::fresh;
    strange += met == Met::strange;
  });
  forget_the_dead();
  return fresh;
}

bool try_arrive(ThreadState& self) {
  constexpr uint32_t needed = own_stack | own_mask | own_name | own_arm | own_return;
  constexpr int patience = 2'000'000;
  if (self.bond != Bond::known || !may(self, needed)) return false;
  // Handlers are being taken over: it must not see that.
  if (static_cast<uint32_t>(self.frame.nr) == __NR_rt_sigaction)
    for (int i = 0; i < patience && live.busy.load() && !is_open(); ++i) __builtin_ia32_pause();
  // A child of a vfork that went around us has our fs, and is not this thread.
  if (!is_open() || static_cast<uint32_t>(raw_syscall(__NR_gettid)) != self.tid ||
      !try_change(self, Bond::known, Bond::here))
    return false;
  SpecialWork work(self);
  uint64_t mask = self.early_mask;
  if (!self.early) raw_syscall(__NR_rt_sigprocmask, sig_block, nullptr, &mask, 8);
  const Altstack ours = stack_of(self);
  Altstack theirs{};
  raw_syscall(__NR_sigaltstack, &ours, &theirs);
  theirs.flags &= ~1;  // SS_ONSTACK
  if (theirs.flags & 2) theirs = {.base = 0, .flags = 0, .reserved = 0, .size = 0};
  self.alternate = theirs;
  self.blocked = mask & guarded;
  self.turn = live.turn.load(std::memory_order_relaxed);
  const uint64_t open = mask & ~guarded;
  if (global.config.exact) make_exact_memory(self);
  const bool ring = self.kept ? take_kept_ring(self) : take_ring(self);
  if (ring || self.out.header) {
    write_thread_record(self);
    if (!files_are_told.exchange(1, std::memory_order_relaxed)) tell_files_at_start(self);
  }
  if (global.sud) try_arm();
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
