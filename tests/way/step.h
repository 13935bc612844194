// One traced child, an instruction at a time: how many it ran and which lines of data they touched.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>

namespace sctrace::way {

struct Way {
  unsigned instructions = 0;  // a rep counts once
  std::set<uint64_t> lines;   // of 64 bytes
};

// Steps from behind one int3 to the next; the child stands on the int3
// then.
Way walk(pid_t child, const std::function<void(uint64_t, const char*)>& seen = {});

}  // namespace sctrace::way
