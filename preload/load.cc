#include "preload/load.h"

namespace {

// Distances from the words themselves: nothing to be relocated.
struct Landing {
  int32_t begin, end;
};

}  // namespace

extern "C" {
extern const Landing __start_sctrace_loads[] __attribute__((visibility("hidden")));
extern const Landing __stop_sctrace_loads[] __attribute__((visibility("hidden")));
}

namespace sctrace::preload {

uint64_t landing_of(uint64_t pc) {
  for (const Landing* one = __start_sctrace_loads; one != __stop_sctrace_loads; ++one) {
    const uint64_t begin =
        reinterpret_cast<uint64_t>(&one->begin) + static_cast<uint64_t>(one->begin);
    const uint64_t end = reinterpret_cast<uint64_t>(&one->end) + static_cast<uint64_t>(one->end);
    if (pc >= begin && pc < end) return end;
  }
  return 0;
}

}  // namespace sctrace::preload
