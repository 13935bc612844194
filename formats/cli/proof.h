// That all threads of a program have noticed `on` or `off` (switch.h), and the proof of it.
#pragma once
#include "formats/cli/lend.h"

namespace sctrace::cli {

// `on`, once it is carried out: leads threads into the library (lead.h). All that can be at once,
// within a few milliseconds.
void hasten(Reached& process, wire::Wish wish);

// Waits until it is so of all, for `patience_ms` at most. Answers of how many it is not known.
//
// on:  a thread is ours, so that no call of it is missed. Those that are not yet are led.
// off: a thread is the app's again; or is outside of our code, so that its next call is not
//      written; or is blocked in a call whose exit will not be.
uint32_t prove(Reached& process, const wire::Wish& wish, unsigned patience_ms);

}  // namespace sctrace::cli
