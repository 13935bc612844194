// Threads that an `on` has made known are led into the library, so that no call is needed for it;
// and of those that were in a call at the `off` before it is seen to that they still are.
#pragma once
#include "formats/cli/lend.h"
#include "formats/cli/sleeps.h"

namespace sctrace::cli {

// In a call since before the `off` that this `on` follows, as far as its state says.
bool was_in_a_call(const Reached::Thread& thread, const wire::Live& live);

// All of them that may be now, for `patience_ms` at most. Answers how many sleep in a call that a
// stop would end in another way than by itself, or make longer: they are left alone, but for those
// that have just begun to sleep.
uint32_t lead_known(const Reached& process, Sleeps& sleeps, unsigned patience_ms);

}  // namespace sctrace::cli
