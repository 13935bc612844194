// How a handler is entered, as the kernel would: its frame in memory, its registers in a context.
#pragma once
#include "arch/x86_64/sigframe.h"

namespace sctrace::preload {

// `frame` goes below `top`, and the vector state of `context` with it; `context` is from here on
// what the handler starts with. Masks are the caller's. False, and nothing changed: no such memory.
bool enter_handler(int signo, uint64_t handler, uint64_t top, arch::SignalFrame& frame,
                   arch::Context& context);

// The same by a frame that lies `at` its place already.
void begin_handler(int signo, uint64_t handler, uint64_t at, arch::Context& context);

}  // namespace sctrace::preload
