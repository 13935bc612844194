// A thread's copies: where they lie, how the app's bytes get there and back. For exact mode alone
// (exact.h). A copy has the alignment of what it stands for, up to a page's where the kernel may
// ask for it (O_DIRECT). Nothing here records anything.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

inline constexpr uint64_t exact_most = 1 << 20;  // bytes of one argument, and of one vector

void begin_copies(ThreadState& self);  // none is left of the call before; pass is ours to change
bool more_room(ThreadState& self);     // after a copy that found none; false: there is no more

// Memory of ours beside the copies, for what the kernel is given instead of an array of the app's.
uint64_t room_beside(ThreadState& self, uint64_t n);

// Each returns the copy's address; 0: no room, or not all of the app's memory is there.
uint64_t copied_in(ThreadState& self, uint64_t app, uint64_t n);
uint64_t copied_string(ThreadState& self, uint64_t app, uint64_t& n);  // n: with its nul
uint64_t room_for_out(ThreadState& self, uint64_t app, uint64_t n);    // app may be written, too
// For what the kernel may write in parts: a second copy behind the first, to compare with.
uint64_t copied_with_before(ThreadState& self, uint64_t app, uint64_t n);

// The kernel is given the copy in place of an argument.
bool replaced(ThreadState& self, uint8_t arg, uint64_t copy, uint64_t n);

// Writes what the kernel changed, and nothing else. False: the app's memory is gone.
bool give_changed(uint64_t app, uint64_t copy, uint64_t n);

}  // namespace sctrace::preload
