// Which text is mapped: asked of the loader once, at start, as what the rewriter works on.
#pragma once
#include <link.h>

#include <cstdint>
#include <span>

#include "preload/listed.h"
#include "rewriter/object.h"

namespace sctrace::preload {

// libc's own dl_iterate_phdr, once find_objects() has looked for it: a sanitizer's stand-in is not
// ready yet.
extern decltype(&dl_iterate_phdr) each_object;

// Where an object came from, for plan_cache.cc.
struct Origin {
  const char* path;        // as the loader opened it; empty: the program itself
  uint64_t text_offset;    // in the file
  uint64_t frames_offset;  // of the segment that holds them
  uint64_t last_byte;      // of what is mapped of the file and looked at: its address
  BuildId build_id;
};

struct Objects {
  rewriter::Object all[256];
  Origin origins[256];
  BuildId own_build_id;
  uint32_t count;
  link_map* loaded;  // before: the loader's list
  uint64_t loader;   // before: where it was loaded itself
  uint64_t libc;     // an address in it
};

// Fills `objects` and our own and libc's text bounds in `global`. Leaves out ourselves. The vDSO
// is one like any: its functions make the call where they cannot answer by themselves.
void find_objects(Objects& objects);
// Takes out those whose file ends before its mapping does: looking there would be a SIGBUS. Needs
// our handlers.
void drop_cut_objects(Objects& objects);

}  // namespace sctrace::preload
