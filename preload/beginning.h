// What the process is when its program begins: credentials, limits, signals. Told once, before any
// of it is touched by us.
#pragma once

namespace sctrace::preload {

struct ThreadState;

// Into the page of the image's first ring, which must be this thread's.
void tell_beginning(const ThreadState& self);

}  // namespace sctrace::preload
