#include "preload/thread.h"

#include <asm/unistd.h>
#include <sys/mman.h>

#include <cerrno>

#include "preload/capture.h"
#include "preload/exact.h"
#include "preload/global.h"
#include "preload/live.h"
#include "preload/sandbox.h"
#include "preload/trap.h"

// What trampoline.S finds through fs: the state, and the seal.
extern "C" {
struct Self {
  sctrace::preload::ThreadState* state;
  uint64_t seal;
};
extern __thread Self sctrace_self __attribute__((tls_model("initial-exec"), visibility("hidden")));
}

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

// Blocks come in slabs, and slabs stay: a block's address is compared with them in every signal.
constexpr uint64_t slab_blocks = 16, slab_bytes = slab_blocks * block_bytes, slab_most = 4096;
std::atomic<uint64_t> slabs[slab_most];
std::atomic<uint32_t> slab_count;
std::atomic<uint32_t> spare;  // blocks that are free or soon will be: none, none is looked for

bool add_slab() {
  const long raw = raw_syscall(__NR_mmap, 0, slab_bytes + block_bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw < 0) return false;
  const uint64_t start = (static_cast<uint64_t>(raw) + block_bytes - 1) & ~(block_bytes - 1);
  if (const uint64_t before = start - static_cast<uint64_t>(raw))
    raw_syscall(__NR_munmap, raw, before);
  raw_syscall(__NR_munmap, start + slab_bytes, block_bytes - (start - static_cast<uint64_t>(raw)));
  const uint32_t place = slab_count.fetch_add(1);
  if (place >= slab_most) return slab_count.fetch_sub(1), false;
  slabs[place].store(start, std::memory_order_release);
  spare.fetch_add(slab_blocks, std::memory_order_relaxed);
  return true;
}

// Asked of the kernel; where that may not be, of the word that it clears when a thread ends.
bool is_gone(const ThreadState& state, bool may_ask) {
  if (may_ask) return raw_syscall(__NR_tgkill, raw_syscall(__NR_getpid), state.tid, 0) == -ESRCH;
  uint32_t word;
  return state.gone_at && !(read_app(&word, state.gone_at, sizeof word) && word == state.tid);
}

// An exiting thread's block may be taken once the kernel no longer knows the thread.
bool take(ThreadState& state, bool may_ask) {
  Use free = Use::free;
  if (state.use.compare_exchange_strong(free, Use::live)) return true;
  if (free != Use::exiting || !is_gone(state, may_ask)) return false;
  return state.use.compare_exchange_strong(free, Use::live);
}

ThreadState* take_from(uint64_t slab, bool may_ask) {
  for (uint64_t i = 0; i < slab_blocks; ++i) {
    ThreadState* state = state_of_block(slab + i * block_bytes);
    if (take(*state, may_ask)) return state;
  }
  return nullptr;
}

}  // namespace

ThreadState* state_of_stack(uint64_t stack_pointer) {
  const uint32_t count = slab_count.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t slab = slabs[i].load(std::memory_order_acquire);
    if (stack_pointer - slab < slab_bytes)
      return state_of_block(stack_pointer & ~(block_bytes - 1));
  }
  return nullptr;
}

ThreadState* find_thread(bool (*is)(const ThreadState&, void*), void* data) {
  const uint32_t count = slab_count.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < count; ++i)
    for (uint64_t j = 0; j < slab_blocks; ++j) {
      ThreadState* state =
          state_of_block(slabs[i].load(std::memory_order_acquire) + j * block_bytes);
      if (state->use.load(std::memory_order_acquire) == Use::live && is(*state, data)) return state;
    }
  return nullptr;
}

void each_thread(void (*work)(ThreadState&, void*), void* data) {
  const uint32_t count = slab_count.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < count; ++i)
    for (uint64_t j = 0; j < slab_blocks; ++j) {
      ThreadState* state =
          state_of_block(slabs[i].load(std::memory_order_acquire) + j * block_bytes);
      if (state->use.load(std::memory_order_acquire) == Use::live) work(*state, data);
    }
}

void describe_threads(wire::Live& place) {
  place.slabs = reinterpret_cast<uint64_t>(slabs);
  place.slab_count = reinterpret_cast<uint64_t>(&slab_count);
  place.slab_blocks = slab_blocks;
  place.block_bytes = block_bytes;
  place.state_at = block_bytes - sizeof(ThreadState);
  place.tid_at = offsetof(ThreadState, tid);
  place.use_at = offsetof(ThreadState, use);
  place.bond_at = offsetof(ThreadState, bond);
  place.turn_at = offsetof(ThreadState, turn);
  place.phase_at = offsetof(ThreadState, frame) + offsetof(arch::Frame, phase);
  place.in_flight_at = offsetof(ThreadState, in_flight);
}

void have_blocks(uint32_t wanted) {
  while (spare.load(std::memory_order_relaxed) < wanted && add_slab()) {
  }
}

ThreadState* try_new_thread(const ThreadState* parent) {
  const bool may_ask = !parent || may(*parent, own_memory | own_name);
  for (;;) {
    const bool some = spare.load(std::memory_order_relaxed);
    for (uint32_t i = some ? slab_count.load(std::memory_order_acquire) : 0; i-- > 0;) {
      const uint64_t slab = slabs[i].load(std::memory_order_acquire);
      ThreadState* state = slab ? take_from(slab, may_ask) : nullptr;
      if (!state) continue;
      spare.fetch_sub(1, std::memory_order_relaxed);
      state->out = {};
      state->frame.phase = arch::Phase::left;
      state->beside = {};
      state->borrowed_from = nullptr;
      state->exec_memory = nullptr;
      state->deferred = state->kept_here = false;
      state->name_at = state->gone_at = 0;
      state->own_work = 0;
      state->rseq = 0;
      state->fresh.bytes = 0;
      state->escape = 0;
      state->awaited = 0;
      state->held = false;
      state->delivery = Delivery::none;
      state->in_flight.after = After::nothing;
      state->engaged = {};
      state->dispatch = {};
      state->bond = wire::Bond::here;
      state->kept = nullptr;
      state->early = false;
      state->counted = 0;
      return state;
    }
    if (!may_ask || !add_slab()) return nullptr;
  }
}

// What is nobody's has no bond either: who takes it next is not there for adopt.cc to forget.
void forget_thread(ThreadState& self) {
  self.bond = wire::Bond::here;
  self.use.store(Use::free, std::memory_order_release);
  spare.fetch_add(1, std::memory_order_relaxed);
}

void thread_is_exiting(ThreadState& self) {
  self.bond = wire::Bond::here;
  spare.fetch_add(1, std::memory_order_relaxed);
  self.use.store(Use::exiting, std::memory_order_release);
}

void forget_other_threads(const ThreadState& self) {
  const uint32_t count = slab_count.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < count; ++i)
    for (uint64_t j = 0; j < slab_blocks; ++j) {
      ThreadState* state =
          state_of_block(slabs[i].load(std::memory_order_relaxed) + j * block_bytes);
      const Use use = state->use.load(std::memory_order_relaxed);
      if (state == &self || use == Use::free) continue;  // a write would copy the page
      if (!state->process) continue;                     // nobody's: live.cc has it
      if (use == Use::live) spare.fetch_add(1, std::memory_order_relaxed);
      state->bond = wire::Bond::here;
      state->use.store(Use::free, std::memory_order_relaxed);
    }
}

void point_slot(ThreadState& self) {
  if (sctrace_self.seal == SEAL) sctrace_self.state = &self;
}

namespace {
uint64_t slot_of(uint64_t fs) {
  uint64_t offset;
  asm("movq sctrace_self@gottpoff(%%rip), %0" : "=r"(offset));
  return fs + offset;
}
}  // namespace

ThreadState* state_at(uint64_t fs) {
  Self found{};
  if (!read_app(&found, slot_of(fs), sizeof found)) return nullptr;
  const auto address = reinterpret_cast<uint64_t>(found.state);
  return address && state_of_stack(address) == found.state ? found.state : nullptr;
}

// A thread's control block points at itself, twice: else the thread is gone, and its stack too.
bool try_point(uint64_t fs, ThreadState& state, bool sealed) {
  uint64_t block[3] = {};
  const Self self{&state, sealed ? uint64_t{SEAL} : 0};
  return read_app(block, fs, sizeof block) && block[0] == fs && block[2] == fs &&
         write_app(slot_of(fs), &self, sizeof self);
}

void point_nowhere(uint64_t fs, const ThreadState& state) {
  constexpr Self nobody{};
  if (state_at(fs) == &state) write_app(slot_of(fs), &nobody, sizeof nobody);
}

bool fs_leads_to(const ThreadState& self) {
  constexpr int get_fs = 0x1003;  // ARCH_GET_FS
  uint64_t fs = 0;
  Self found{};
  if (global.reads_fs)
    asm("rdfsbase %0" : "=r"(fs));
  else if (may(self, own_others))
    raw_syscall(__NR_arch_prctl, get_fs, &fs);
  return fs && read_app(&found, slot_of(fs), sizeof found) && found.state == &self &&
         found.seal == SEAL;
}

bool try_unseal() {
  if (sctrace_self.seal != SEAL) return false;
  sctrace_self.seal = 0;
  return true;
}

void seal_again() { sctrace_self.seal = SEAL; }

void unseal() {
  if (sctrace_self.seal == SEAL) sctrace_self.seal = 0;
}

Altstack stack_of(const ThreadState& self) {
  return {.base = block_of(self) + stack_offset,
          .flags = 0,
          .reserved = 0,
          .size = block_bytes - stack_offset - sizeof(ThreadState)};
}

void set_stack(const ThreadState& self) {
  const Altstack ours = stack_of(self);
  raw_syscall(__NR_sigaltstack, &ours, 0);
}

void settle(ThreadState& self, Slot slot) {
  if (global.config.exact) make_exact_memory(self);
  if (slot == Slot::write) sctrace_self = {&self, SEAL};
  if (slot == Slot::keep) point_slot(self);
  if (global.sud && may(self, own_arm | own_return) && self.process->follow && is_open()) try_arm();
}

}  // namespace sctrace::preload
