// Raw time stamps. Cheap and monotonic for one thread; wire::Anchor says what they mean in
// nanoseconds.
#pragma once
#include <cstdint>

namespace sctrace::arch {

// Ticks of the time stamp counter: 2 instructions to combine, no fence (see tests/bench).
inline uint64_t ticks() {
  uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return uint64_t{high} << 32 | low;
}

}  // namespace sctrace::arch
