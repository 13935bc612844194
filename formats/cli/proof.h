// The proof that all threads of a program have noticed `on` or `off` (switch.h).
#pragma once
#include "formats/cli/lend.h"

namespace sctrace::cli {

// Waits until it is so of all, for `patience_ms` at most. Answers of how many it is not known.
//
// on:  a thread is ours, so that no call of it is missed; or it is known to us, so that it comes by
//      at its next call, and is either blocked in the kernel, or has run for so long since that it
//      can't still be at a call that it began before.
// off: a thread is the app's again; or is outside of our code, so that its next call is not
//      written; or is blocked in a call whose exit will not be.
uint32_t prove(Reached& process, const wire::Wish& wish, unsigned patience_ms);

}  // namespace sctrace::cli
