#include "preload/adopt.h"

#include <asm/unistd.h>
#include <fcntl.h>

#include "preload/arrive.h"
#include "preload/global.h"
#include "preload/live.h"
#include "preload/process.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;
using wire::Bond;

uint64_t robust_offset;  // of libc's list of robust locks from a thread's fs; 0: not known
uint32_t looks;          // how often all threads were looked at

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

// One that our libc did not make: no slot of its fs leads to us, its calls go by the trap.
Met meet_stranger(ThreadState* state, uint32_t tid) {
  if (!state && (state = try_new_thread(nullptr))) state->bond = Bond::away;
  if (!state) return Met::strange;
  state->seen = looks;
  if (!try_change(*state, Bond::away, Bond::making)) return Met::known;
  make_known(*state, tid, Slot::leave);
  return Met::fresh;
}

// A thread that has ended meanwhile may have left its stack to another, which is not this one: if
// it is there yet, its slot was its own, and whoever gets the stack later gets it cleared.
bool try_lead(uint32_t tid, uint64_t fs, ThreadState& state, bool sealed) {
  if (try_point(fs, state, sealed) && fs_of(tid) == fs) return true;
  point_nowhere(fs, state);
  return false;
}

Met meet(uint32_t tid, bool strangers, bool sealed) {
  const uint64_t fs = fs_of(tid);
  // A slot that leads to another's: a child of a vfork has its parent's fs for a while.
  ThreadState* state = fs ? state_at(fs) : nullptr;
  if ((state || !fs) && !is_trusted(state, tid)) state = find_thread(is_of, &tid);
  if (state) state->seen = looks;
  if (fs && state && state->bond == Bond::known && sealed) (void)try_lead(tid, fs, *state, true);
  if (state && state->bond != Bond::away) return Met::known;
  if (!fs) return strangers ? meet_stranger(state, tid) : Met::strange;  // or not begun yet
  if (!state && (state = try_new_thread(nullptr))) state->bond = Bond::away;
  if (!state) return Met::strange;
  state->seen = looks;
  if (!try_change(*state, Bond::away, Bond::making)) return Met::known;
  make_known(*state, tid, Slot::write);
  if (try_lead(tid, fs, *state, sealed)) return Met::fresh;
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

void make_known(ThreadState& state, uint32_t tid, Slot slot) {
  state.process = &main_process;
  state.pid = main_process.pid;
  state.tid = tid;
  state.parent = 0;
  state.began = wire::Began::adopted;
  state.frame.phase = arch::Phase::left;
  state.in_flight = {};
  state.blocked = state.pending = 0;
  state.alternate = {.base = 0, .flags = 2 /* SS_DISABLE */, .reserved = 0, .size = 0};
  state.slot = slot;
  state.judged = {};
  state.early = false;
  state.out.leave_ring();  // the long way at its first call
  state.turn = 0;
  state.counted = 0;
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

uint32_t adopt_threads(uint32_t& strange, bool strangers, bool sealed) {
  uint32_t fresh = 0;
  __atomic_fetch_add(&looks, 1, __ATOMIC_SEQ_CST);
  strange = 0;
  tell_files_again();
  each_task([&](uint32_t tid) {
    const Met met = meet(tid, strangers, sealed);
    fresh += met == Met::fresh;
    strange += met == Met::strange;
  });
  forget_the_dead();
  return fresh;
}

}  // namespace sctrace::preload
