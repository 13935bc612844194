// What engines are given to work with (sctrace/engine.h), and what those services need to know.
#pragma once
#include "preload/engine.h"

namespace sctrace::preload {

extern Engine* being_opened;  // whose open() runs

// A call as an engine is shown it, and what the services keep beside it.
struct Shown {
  sctrace_call call;  // first
  ThreadState* self;
  uint8_t flags;  // wire::altered_*
};

}  // namespace sctrace::preload
