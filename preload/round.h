// One round through the chain of engines: each that takes part is asked in its turn, the newest
// first at an entry, else the oldest; one that faults is switched off, and its say undone.
#pragma once
#include "preload/engine.h"

namespace sctrace::preload {

enum class Moment : uint8_t { entry, exit, signal, life };

// It outlives a fault of an engine: `before` is what was so far. What
// is not set here is by show(), word by word: clearing and copying a call costs more than to ask.
struct Round {
  Round(ThreadState& who, Moment when, bool has_libc) : self(who), moment(when) {
    may_use_libc = has_libc;
  }
  ThreadState& self;
  Moment moment;
  bool may_use_libc;
  uint32_t done = 0, at = 0;  // how many have been asked; whose turn it is
  sctrace_choice choice = SCTRACE_RUN, chosen = SCTRACE_RUN;
  sctrace_signal* signal = nullptr;
  int32_t number = 0;
  const sctrace_life* life = nullptr;
  Shown shown, before;
};

// The signals' phase is `special`, or all of them are blocked.
void go_round(Round& round, bool bare);
// It sees to that itself. A bare engine's calls are its own business; those of libc, and the masks
// and dispatch around them, are ours too.
void go_round_sheltered(Round& round);
bool are_bare(const Round& round);  // all that take part

// Is fs libc's? Only asked where some engine needs to know: it may be a call of ours.
bool has_libc(const ThreadState& self, bool by_stub);

inline sctrace_choice sane(sctrace_choice choice) {
  return choice == SCTRACE_SKIP || choice == SCTRACE_STOP ? choice : SCTRACE_RUN;
}

}  // namespace sctrace::preload
