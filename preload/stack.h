// Where calls are made from, and what signals interrupt (SCTRACE_STACK): return addresses, into the
// ring behind the entry or the signal. The
// walk goes over the app's own stack, from the registers that the site left, by loads that survive
// any address; nothing of ours is on it. It makes no call and takes no lock, so it does not matter
// who holds the loader's, what a filter forbids or where a signal cuts it short.
//   fp      the chain of saved frame pointers: the caller of a function without one is missed
//   unwind  by the rules of .eh_frame (frame_rules.h), where there are some
//   auto    the same; where there are none, by the frame pointer
// libunwind does the second, too. But it walks from its caller's own frame and through ours, takes
// the loader's lock for text that it does not know yet, and may call mincore or sigprocmask: none
// of that is for a call of somebody else. In the tests it is the oracle.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// Of the call in flight, whose entry was just written. Without room it has none.
void put_stack(ThreadState& self);

// Where the program was: its registers, as far as a walk begins from them.
struct Place {
  uint64_t pc, sp, bp, di;
};
// Of a signal whose record was just written, before the program's handler is entered.
void put_stack(ThreadState& self, const Place& interrupted);

}  // namespace sctrace::preload
