// The packed side of the control device: one page of shared memory that a hub (`sctrace control`)
// makes and every traced process maps. A thread that stops takes a slot, fills it and waits; the
// hub answers in the same slot. Descriptors are needed only for the moment of mapping it.
//
//   free → held (a thread's) → asked (waits for the hub) → answered → asked … → held → free
//                               asked → withdrawn (a signal came first; the hub frees it)
//
// All words that both sides write are changed by compare-and-swap from the state that gives the
// right to; all others are written by who has that right. Nobody trusts what it reads.
#pragma once
#include <atomic>
#include <cstdint>

namespace sctrace::wire {

inline constexpr uint32_t control_version = 2;
inline constexpr char control_hello[16] = {'\0', 's', 'c', 't', 'r', 'a', 'c', 'e',
                                           ' ',  'c', 'o', 'n', 't', 'r', 'o', 'l'};
inline constexpr uint32_t control_slots = 2048;
inline constexpr uint32_t control_data = 15360;  // bytes of one slot for memory
inline constexpr uint32_t control_set_most =
    control_data / 2;  // the other half keeps what was there

inline constexpr uint32_t control_shown_most = control_data - 512;  // of one buffer, in a report
inline constexpr uint32_t control_kept_most = 2048;  // bytes that a call may be given to point at
inline constexpr uint32_t control_pointers = 48;     // among these
inline constexpr uint32_t not_placed = ~0u;

enum class SlotState : uint32_t { free, held, asked, answered, withdrawn };

// What a thread asks about.
enum class Stop : uint32_t {
  entry,   // a call: its entry and data records in `data`
  exit,    // the same call came back: `result`
  signal,  // `number`, the head of its siginfo in `data`
  fork,    // of (pid, tid); `number` is the new process. The rest asks nothing: it is told
  exec,    // its path in `data`, `bytes` of it
  gone,    // the process, `number` is its status
  reply,   // to get and set: `result` 0 or -errno; get: `bytes` in `data`
};

// What the hub answers.
enum class Verdict : uint32_t {
  go_on,   // entry: make the call as number and args say; exit: `result` is shown; signal: deliver
  answer,  // entry: don't make it, it gives `result`; signal: drop it
  get,     // copy `bytes` from `address` into `data`, and ask on
  set,     // copy `bytes` of `data` to `address`, and ask on
};

// Looking again and again is worth its while where what is waited for comes in time: who has missed
// it twice in a row looks only now and then, for processors are few or busy.
struct Luck {
  uint32_t misses;
  bool is_good() const { return misses < 2 || misses % 16 == 0; }
  void note(bool came) { misses = came ? 0 : misses + 1; }
  void skip() { ++misses; }
};

struct ControlSlot {
  std::atomic<SlotState> state;  // a futex
  Stop stop;
  uint32_t pid, tid;
  uint32_t number;
  Verdict verdict;
  uint32_t stops_after;  // entry: ask again when it came back
  uint32_t bytes;        // used of `data`
  int64_t result;
  uint64_t address;
  uint64_t args[6];
  // The answer to an entry: `kept` bytes of `data` go where arguments may point, and where each
  // argument does that; of 8-byte cells in there that point at others, where they lie: each holds
  // how far from the first byte.
  uint32_t kept, pointer_count;
  uint32_t placed[6];  // not_placed: the argument is args[n]
  uint16_t pointers[control_pointers];
  std::atomic<uint32_t> sleeps;  // the thread: it has to be woken
  Luck luck;                     // of who waits here with looking before sleeping
  uint32_t padding[6];
  uint8_t ring[128];  // a RingHeader for whoever writes the records
  uint8_t data[control_data];
};
static_assert(sizeof(ControlSlot) % 64 == 0);

struct ControlPage {
  uint32_t version, slot_count;
  alignas(64) uint32_t owner;  // first word of the hub's robust lock: 0 or died: nobody serves
  uint8_t owner_rest[60];
  std::atomic<uint32_t> doorbell;  // a futex: one more for each slot that asks
  std::atomic<uint32_t> begun;     // a futex: 1 once a controller has said its first line
  std::atomic<uint32_t> signals;   // somebody wants them
  std::atomic<uint32_t> told;      // somebody is there to be told of fork, exec, exit
  std::atomic<uint32_t> lost;      // stops for which no slot was free, or that a filter forbids
  std::atomic<uint32_t> limit;     // bytes of a buffer that somebody wants to see
  std::atomic<uint32_t> spins;     // so often a thread looks for its answer before it sleeps
  alignas(64) std::atomic<uint32_t> sleeps;  // the hub: it has to be woken
  // A bit for each slot that asks or is withdrawn; the hub takes them away before it looks there.
  alignas(64) std::atomic<uint64_t> asking[control_slots / 64];
  alignas(64) std::atomic<uint8_t> wants[512];  // by number; the last for all beyond
  alignas(64) ControlSlot slots[control_slots];
};

inline constexpr uint32_t spins_most = 4096;
inline constexpr uint32_t owner_died = 0x4000'0000, owner_mask = 0x3fff'ffff;

}  // namespace sctrace::wire
