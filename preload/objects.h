// Which text is mapped: asked of the loader once, at start, as what the rewriter works on.
#pragma once
#include <cstdint>
#include <span>

#include "rewriter/object.h"

namespace sctrace::preload {

struct Objects {
  rewriter::Object all[256];
  uint32_t count;
  char* list;  // "base path\n" each, for wire::Image::objects
  uint64_t list_bytes, list_used;
};

// Fills `objects` and our own and libc's text bounds in `global`. Leaves out ourselves. The vDSO
// is one like any: its functions make the call where they cannot answer by themselves.
void find_objects(Objects& objects);

}  // namespace sctrace::preload
