// Counters in place of records (Mode::counts): how many calls of each number a thread has made, how
// many failed, and how long they took. They lie where other modes have a ring's blocks, one Counter
// a number; of numbers that nobody makes no memory is touched, and no disk.
//
//   slot   ┌ RingHeader, 4 KiB ┬ Counter 0 ┬ Counter 1 ┬ … ┬ Counter 511 ┬ unused ┐
//
// The owning thread alone writes, `calls` last; a reader that looks meanwhile may see a call in
// some words and not yet in others. After kill -9 all is there that was counted.
#pragma once
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sctrace::wire {

inline constexpr uint32_t counter_numbers = 512;  // the last one is for all numbers beyond
inline constexpr uint32_t counter_steps = 160;    // of durations: a quarter of a doubling each

struct alignas(64) Counter {
  std::atomic<uint64_t> calls;   // that came back
  std::atomic<uint64_t> errors;  // of these
  std::atomic<uint64_t> ticks;   // that they took in all
  std::atomic<uint64_t> shortest, longest;
  uint64_t reserved[3];
  std::atomic<uint64_t> steps[counter_steps];
};
static_assert(sizeof(Counter) == 21 * 64 && offsetof(Counter, steps) == 64);

inline constexpr uint64_t counters_bytes = counter_numbers * sizeof(Counter);
inline constexpr uint64_t counting_ring = 1 << 20;  // bytes of a ring in this mode
static_assert(counters_bytes <= counting_ring);

// In which step so many ticks are: one each below 8, then four a doubling; the last has no end.
constexpr uint32_t counter_step(uint64_t ticks) {
  if (ticks < 4) return static_cast<uint32_t>(ticks);
  const auto doubling = static_cast<uint32_t>(std::bit_width(ticks)) - 1;
  const uint32_t step = (doubling - 1) * 4 + (static_cast<uint32_t>(ticks >> (doubling - 2)) & 3);
  return step < counter_steps ? step : counter_steps - 1;
}
// The most ticks that are in it.
constexpr uint64_t counter_step_end(uint32_t step) {
  if (step < 8) return step;
  const uint32_t doubling = step / 4 + 1;
  return ((uint64_t{step % 4 + 5} << (doubling - 2))) - 1;
}
static_assert(counter_step(counter_step_end(37)) == 37 &&
              counter_step(counter_step_end(37) + 1) == 38);

}  // namespace sctrace::wire
