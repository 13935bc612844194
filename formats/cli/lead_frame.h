// The moment in which threads are led into the library, or out of a call that they have left,
// (formats/wire/live.h), in a process that does nothing else: when it ends, the kernel lets go of
// all.
#pragma once
#include <vector>

#include "formats/wire/live.h"

namespace sctrace::cli {

struct Led {
  uint32_t tid;
  uint64_t state;  // where the library keeps it
  bool sleeps;     // in a call
  bool is_ours;    // and was in a call at an `off`: a handler of the program may have jumped out
};

// For `patience_ms` at most; longer if some are ours and run, for nothing of theirs would be seen
// until they have been looked at. Which were led, their states say; the others are as they were.
void lead_here(const std::vector<Led>& threads, uint32_t pid, const wire::Live& live,
               unsigned patience_ms);

}  // namespace sctrace::cli
