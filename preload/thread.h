// ThreadState: all that we keep for one thread of the app. It lies at the top of a 64 KiB block
// whose rest is the stack that the hook and the signal entry run on; the kernel knows that stack as
// the thread's alternate signal stack, so from a signal's stack pointer alone its thread is known,
// whatever fs holds.
//
//   block  ┌ Process copy (vfork children) ┬ kept ┬ stack ↓ … ┬ ThreadState ┐  64 KiB, aligned to
//   it
#pragma once
#include <atomic>
#include <cstdint>

#include "arch/x86_64/frame.h"
#include "arch/x86_64/sigframe.h"
#include "formats/wire/live.h"
#include "formats/wire/ring.h"
#include "preload/facts.h"
#include "preload/remembered.h"
#include "preload/ring_writer.h"

namespace sctrace::preload {

// rt_sigaction's struct as the kernel has it.
struct Action {
  uint64_t handler;
  uint64_t flags;
  uint64_t restorer;
  uint64_t mask;
};

// What threads of one process share. Children that share our memory but are processes of their own
// (vfork, posix_spawn) get a copy, so that what they set is not taken for their parent's.
struct Process {
  uint32_t pid;
  uint32_t forbidden;  // calls of ours that the app's seccomp filters could forbid (sandbox.h)
  uint32_t filters;    // how many it has installed, or is about to
  uint32_t at_work;    // threads that are making calls of ours
  bool follow;         // record here
  Action* actions;     // what the app believes is installed, by signal number: here,
  Action table[65];    // or in the process that cloned this one with CLONE_SIGHAND
  uint32_t claimed, waiting;   // guarded signals sent to the process that every thread blocks:
  arch::Info waiting_info[3];  // SIGBUS, SIGSEGV, SIGSYS; see waiting.cc
};

// As the program asked for it (dispatch.h): calls that return to [offset, offset + length) are
// free.
struct Dispatch {
  bool on;
  uint64_t offset, length, selector;
};

struct Altstack {
  uint64_t base;
  int32_t flags;
  uint32_t reserved;
  uint64_t size;
};

// How far a signal's delivery is, beside what the program counter says.
enum class Delivery : uint8_t { none, begun, done };

enum class Use : uint32_t { free = 0, live = 1, exiting = 2 };

// Text that the loader has mapped, until it closes the file: then all of the object is there.
struct FreshText {
  uint64_t begin, bytes, offset;  // bytes 0: none
  int32_t fd;
};

// What a new thread's fs is: not ours · ours if it is sealed now · certainly ours.
enum class Slot : uint8_t { leave, keep, write };

// A device that was opened, under the name that its link has (files.cc).
struct Opened {
  uint64_t device, inode, special;
  uint64_t name[5];  // zeros behind it
  bool operator==(const Opened&) const = default;
};

struct alignas(64) ThreadState {
  arch::Frame frame;  // first: trampoline.S knows it at offset 0
  RingWriter out;     // its hot part, frame's and in_flight fill four cache lines
  InFlight in_flight;
  uint16_t site_index;
  bool redacted;  // the call in flight: its data is not kept (redact.h)
  arch::Beside beside;
  uint64_t shown_at;  // the ring's head when a block's end showed a call's entry; else 0
  Process* process;
  uint32_t pid, tid;
  uint64_t blocked;  // which of the guarded signals the app believes blocked
  uint64_t previous_blocked;
  arch::Info awaited_info;     // where the app wants none
  uint64_t awaited;            // which of them it waits for in rt_sigtimedwait
  uint64_t pending;            // guarded signals sent to this thread that wait (waiting.h)
  arch::Info pending_info[3];  // SIGBUS, SIGSEGV, SIGSYS
  Delivery delivery;           // signals.cc
  uint16_t stack_segment;      // in which that begun: a call of ours would make it the usual one
  bool disarmed;               // by the sandbox call in flight
  bool held;                   // the kernel may have a guarded signal blocked until we return
  Altstack alternate;          // as the app set it
  Dispatch dispatch;
  bool deferred;   // a signal waits for the end of special work, under deferred_mask
  bool kept_here;  // it is deferred_info, and not in the kernel's queue
  uint64_t deferred_mask;
  arch::Info deferred_info;
  uint64_t pass[6];       // arguments given to the kernel in place of the app's
  uint64_t mask_copy[2];  // a signal set given to the kernel in place of the app's
  uint64_t set_copy[2];   // pselect6's pair of pointer and size
  Slot slot;
  uint64_t child_flags;        // of the clone in flight
  uint64_t child_mask;         // signals blocked around it: what to go back to
  bool emptied;                // the child of a fork has forgotten what waited for its parent
  uint64_t name_at;            // where the kernel writes this thread's number at its birth, or 0
  uint64_t gone_at;            // where it clears it at its end, or 0
  uint32_t own_work;           // depth of our own calls, sandbox.h
  Process* own_work_of;        // where it is counted
  uint32_t offered;            // what a pointed-to length said before the call
  ThreadState* borrowed_from;  // a vfork child writes into its parent's ring
  void* exec_memory;
  uint64_t exec_bytes;
  uint64_t rseq, rseq_bytes, rseq_signature;  // as the thread registered it, 0 = not
  FreshText fresh;
  uint64_t text_births;  // rewriter::births() before the mapping call in flight
  uint64_t escape;       // see arch/x86_64/aside.h
  Exact exact;
  Engaged engaged;
  Shown shown;  // the call in flight, where engines only look on
  Judged judged;
  StackPlaces stacks;
  Opened opened[4];
  uint32_t opened_next;
  std::atomic<Use> use;
  wire::Began began;
  uint32_t parent;
  wire::Bond bond;         // adopt.h
  uint32_t turn;           // of wire::Live, as this thread has last acknowledged it
  wire::RingHeader* kept;  // its ring while it is away
  uint32_t kept_slot;
  uint32_t seen;        // the last look at all threads that found it
  uint32_t counted;     // the `off` that waits for it to part, or 0
  bool early;           // a signal came before it was all ours: it waits, under
  uint64_t early_mask;  // this mask
};

static_assert(offsetof(ThreadState, beside) == STATE_BESIDE);

// The instruction that made the call.
inline uint64_t site_of(const ThreadState& self) { return self.frame.behind - 2; }

inline constexpr uint64_t block_bytes = 65536;
inline constexpr uint64_t kept_offset = 4096;  // below the stack: the Process copy, and
inline constexpr uint64_t kept_most = 2048;    // what engines let arguments point at
inline constexpr uint64_t stack_offset = kept_offset + kept_most;

inline uint64_t block_of(const ThreadState& self) {
  return reinterpret_cast<uint64_t>(&self) & ~(block_bytes - 1);
}
inline ThreadState* state_of_block(uint64_t block) {
  return reinterpret_cast<ThreadState*>(block + block_bytes - sizeof(ThreadState));
}

// The state whose stack `stack_pointer` is in, or null: by looking at the slabs, never at the
// thread. Part of a signal's first steps (signals.cc).
[[gnu::section("sctrace_entry")]] ThreadState* state_of_stack(uint64_t stack_pointer);

// Work on each state that is somebody's; it may be gone meanwhile.
void each_thread(void (*work)(ThreadState&, void*), void* data);
// Where a reader in another process finds the states.
void describe_threads(wire::Live& place);

// Some thread that `is` says yes to, or null. It may be gone when this returns.
ThreadState* find_thread(bool (*is)(const ThreadState&, void*), void* data);

// A fresh block, asked for by `parent` (null: the first); null when there is no memory.
ThreadState* try_new_thread(const ThreadState* parent);
void have_blocks(uint32_t spare);  // if there is memory: what may be mapped later, nobody knows
void thread_is_exiting(ThreadState& self);           // may be taken once the kernel forgot it
void forget_thread(ThreadState& self);               // the block may be taken again
void forget_other_threads(const ThreadState& self);  // after fork: they are not here

// In the thread itself, before its first own instruction: dispatch, and the way from fs to its
// state where fs is one that our library's thread-local slot is part of; and the alternate stack.
void settle(ThreadState& self, Slot slot);
Altstack stack_of(const ThreadState& self);
void set_stack(const ThreadState& self);
void point_slot(ThreadState& self);  // if sealed: this fs leads to `self` from now on
void unseal();                       // whoever has this fs goes by the trap from now on

// The same for a thread whose fs is at `fs`, in its stead. The state that its slot names, or null.
bool try_point(uint64_t fs, ThreadState& state, bool sealed);
void point_nowhere(uint64_t fs, const ThreadState& state);  // if it leads to this one
ThreadState* state_at(uint64_t fs);

// Is the fs of this thread one that leads to `self`? Where the processor can't tell the kernel is
// asked; no, where that may be forbidden.
bool fs_leads_to(const ThreadState& self);
// While it is not sealed, calls of this thread go by the trap. False: it was not.
bool try_unseal();
void seal_again();

}  // namespace sctrace::preload
