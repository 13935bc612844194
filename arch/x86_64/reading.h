// One reading of a clock together with the time stamp counter: the stamp of its middle. A reading
// that took long was disturbed (an interrupt, another thread's turn), and is taken again.
#pragma once
#include <cstdint>

namespace sctrace::arch {

struct Reading {
  uint64_t tsc = 0, ns = 0;
};

inline constexpr uint64_t undisturbed = 4000;  // ticks, 1 to 2 us; a call takes some hundred
inline constexpr int readings_most = 8;

template <class Ticks, class Now>
constexpr Reading read_clock(Ticks ticks, Now now) {
  Reading best;
  uint64_t shortest = ~uint64_t{0};
  for (int i = 0; i < readings_most && shortest > undisturbed; ++i) {
    const uint64_t before = ticks(), ns = now(), spent = ticks() - before;
    if (spent >= shortest) continue;
    shortest = spent;
    best = {before + spent / 2, ns};
  }
  return best;
}

}  // namespace sctrace::arch
