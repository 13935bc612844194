// How `sctrace ctl` turns recording on and off in a running program. Nothing of ours waits in the
// program for that: the command, which needs the right to trace it, lends one of its threads for a
// moment. It stops the thread by ptrace, lays a signal frame with all that the thread is onto a
// stack of ours, sends the thread into Live::entry, and lets go of it. The thread does the work and
// returns through the frame as from a signal handler. So the work has the rights that the program
// has left itself, no process lives beside it that would keep older ones, and a command that is
// killed at any moment leaves either nothing or work that ends by itself.
//
// `on` makes each thread known; the command then leads each into the library in the same way, so
// that it is ours before its next call, also one by a site without a door: from wherever it is into
// Live::led, on its own stack of ours; or, where it sleeps in a call, with its registers as the
// call's trap would have left them into Live::common, from where the call goes on as one that was
// begun before.
//
// Live lies in the program's memory, where Image::live says; fork gives each child its own.
#pragma once
#include <atomic>
#include <cstdint>

#include "formats/wire/expression.h"

namespace sctrace::wire {

inline constexpr uint64_t live_magic = 0x31'45'56'49'4c'54'43'53;  // "SCTLIVE1" in memory
inline constexpr uint32_t live_version = 4;

enum class Deed : uint32_t { on, off, settings };

enum class Outcome : uint32_t {
  done,
  no_memory,
  busy,         // another thread works on text and does not end
  no_text,      // the kernel does not let text be replaced
  doors_stay,   // off: doors are open for engines, nothing is recorded
  no_stubs,     // SCTRACE_DOORS=trap: no thread would come by
  bad_setting,  // what was asked for makes no sense here
};

// What the command asks, written before the thread is sent in.
struct Wish {
  uint32_t number;  // the last that a thread was sent in for; Live::done says it when it is done
  Deed deed;
  uint32_t strangers;  // on: of threads too that the program's libc did not make
  uint32_t sets_filter, sets_capture, sets_strsize, sets_stack;
  uint32_t capture;  // bit 0 in, 1 out
  Expression filter;
  char strsize[512];  // as SCTRACE_STRSIZE
  char stack[16];     // as SCTRACE_STACK
  char told[1280];    // what of this is for later programs: SCTRACE_NAME=VALUE, a line each
};

// How a thread stands to us. known: its fs leads to us and it has not come by yet; then all of its
// signal world is ours; away: it runs as if we were not there.
// making: somebody is about to make it known.
enum class Bond : uint32_t { here, known, away, making };

// Where the command finds what it needs, in the program's memory.
struct Live {
  uint64_t magic;
  uint32_t version;
  uint32_t pid;              // who last did work; another: a child of a fork since
  uint64_t entry, restorer;  // where the thread is sent, with the wish's number, and returns to
  uint64_t entry_asleep;     // the same where only the kernel can go on with the thread's call
  uint64_t stack_end;        // of the stack for that
  uint64_t ours_begin, ours_end;  // our text: a thread within it is not lent, but
  uint64_t asleep;                // one that stands behind the program's own call in our gate is
  uint64_t led, common;           // where a thread that is known is led
  uint64_t filters;               // a word: the program's seccomp filters that the library has seen
  uint64_t slabs, slab_count;     // addresses: of states of threads, how many slabs
  uint32_t slab_blocks, block_bytes, state_at;                        // of a state in its block
  uint32_t tid_at, use_at, bond_at, turn_at, phase_at, in_flight_at;  // in a state
  std::atomic<uint32_t> recording;        // the program's calls are recorded
  std::atomic<uint32_t> open;             // doors are open: text has jumps, threads are ours
  std::atomic<uint32_t> handlers_theirs;  // the kernel has the program's, not ours
  std::atomic<uint32_t> turn;  // counts on and off; a thread that has acknowledged says it too
  std::atomic<uint32_t> busy;  // a thread is at work
  std::atomic<uint32_t> done;  // number of the last wish that was carried out
  Outcome outcome;
  uint32_t sites_open, sites_shut;  // patched; left to the trap
  uint32_t objects_left;            // whose text can't be replaced
  uint32_t strange_threads;         // that our libc did not make, and that have no state
  uint32_t traps;                   // the kernel has Syscall User Dispatch
  uint64_t calls_cut;  // that were under way at an `off`: their end is not in the trace
  Wish wish;
};

}  // namespace sctrace::wire
