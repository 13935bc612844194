// The moment of lending itself, in a process that does nothing else.
#pragma once
#include "formats/wire/live.h"

namespace sctrace::cli {

// Stops the thread, sends it into live.entry with a way back, and lets it go. 0: done; 1: not this
// one, or not now; 2: not allowed; 3: the process is stopped.
// `place`: where `live` was read.
int lend_here(uint32_t tid, uint32_t pid, const wire::Live& live, uint64_t place);

}  // namespace sctrace::cli
