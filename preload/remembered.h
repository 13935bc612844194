// What exact mode, engines and filters remember of the call in flight: parts of ThreadState, each
// its owner's alone.
#pragma once
#include <cstdint>

#include "preload/sctrace/engine.h"

namespace sctrace::wire {
struct ControlSlot;
}

namespace sctrace::preload {

struct ThreadState;

// A call as an engine is shown it, and what the services keep beside it.
struct Shown {
  sctrace_call call;  // first
  ThreadState* self;
  uint8_t flags;  // wire::altered_*
};

// A call's number and arguments.
struct Asked {
  uint64_t nr, args[6];
};

// Copies that the kernel is given in place of the app's memory; see exact.h.
struct Exact {
  uint64_t base, bytes;  // where they lie; 0: this thread has none
  uint64_t used;
  uint64_t copy[6];      // by argument; 0: as the app has it
  uint64_t bytes_of[6];  // of each; for vectors how many there are
  bool full;
};

// What engines made of the call in flight (engaged.cc).
inline constexpr uint32_t engines_most = 8, injections_most = 16;
struct Engaged {
  Asked asked;   // as the program made it
  Asked undone;  // the last that a signal undid after engines were asked
  uint64_t undone_site;
  bool calling;             // their code runs: signals wait, its calls are its own
  bool pending;             // engines were asked and have not seen its end
  bool observed;            // and only looked on at its beginning (observe.h)
  bool was_undone;          // `undone` holds one
  bool altered;             // the frame holds another than `asked`: restore_asked()
  uint8_t lookers;          // who looked on
  uint8_t choice;           // theirs, where they had a wish after all
  uint8_t replaced;         // the signal that one put in another's place: not asked about again
  uint32_t wake;            // a futex: not 0 once somebody said report()
  int32_t raised;           // a signal to come when the call is over
  uint16_t kept;            // bytes of what arguments point at
  uint8_t flags;            // wire::altered_*
  bool seen;                // they have seen its end
  int64_t answer;           // the kernel's, where the program sees another
  wire::ControlSlot* stop;  // of the device (control.h): this call stopped there
  uint64_t words[engines_most];
  uint32_t injected[injections_most];  // calls that each rule concerned
};

// What judge.cc remembers of the call in flight, and of the thread.
struct Judged {
  uint64_t begin, end;  // its entry's records in the ring
  uint64_t tsc, began;  // base of the ticks there; when it was made
  uint64_t paths;       // wire::Known::paths
  uint64_t filtered;    // what the ring's counter becomes if it goes; 0: not yet said
  uint32_t calls, sample;
  bool later;  // its end decides
};

// Where in a block of the ring the last stacks are that were written there, by their hash
// (stack.cc).
struct StackPlaces {
  uint32_t place[64];
};

}  // namespace sctrace::preload
