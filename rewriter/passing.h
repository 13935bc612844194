// Waiting for threads that were stopped by the scheduler in the middle of what is about to go: from
// a patched `pad` site a short jump leads to a long one in dead padding, and a thread may stand
// between the two for as long as it gets no processor. No barrier moves it on.
#pragma once
#include <cstdint>

namespace sctrace::rewriter {

// Returns when each other thread has run since, or sleeps in the kernel and will not come back to
// such a place (`is_inside` tells them); after two seconds at most. Asks /proc; without it, waits a
// little.
void let_others_pass(bool (*is_inside)(uint64_t pc));

}  // namespace sctrace::rewriter
