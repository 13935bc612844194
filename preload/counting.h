// SCTRACE_MODE=counts: calls are counted (formats/wire/counters.h), and not recorded.
#pragma once
#include "formats/wire/counters.h"
#include "preload/thread.h"

namespace sctrace::preload {

void begin_counters(RingWriter& out);    // a ring that is one thread's table of counters
void begin_counting(ThreadState& self);  // a wanted call's entry

inline wire::Counter& counter_of(const ThreadState& self) {
  const auto nr = static_cast<uint32_t>(self.frame.nr);
  constexpr uint32_t last = wire::counter_numbers - 1;
  return reinterpret_cast<wire::Counter*>(self.out.bytes)[nr < last ? nr : last];
}

// No signal comes meanwhile: it finds all of a call in the counters, or nothing.
[[gnu::always_inline]] inline void end_counting(ThreadState& self, int64_t result) {
  const auto add = [](std::atomic<uint64_t>& to, uint64_t n) {  // one writer: nothing is locked
    to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  };
  self.in_flight.counting = false;
  if (!self.out.counts) [[unlikely]]  // parted meanwhile
    return;
  const uint64_t ticks = arch::ticks() - self.judged.began;
  wire::Counter& counter = counter_of(self);
  const uint64_t calls = counter.calls.load(std::memory_order_relaxed);
  add(counter.steps[wire::counter_step(ticks)], 1);
  add(counter.ticks, ticks);
  if (!calls || ticks < counter.shortest.load(std::memory_order_relaxed)) [[unlikely]]
    counter.shortest.store(ticks, std::memory_order_relaxed);
  if (ticks > counter.longest.load(std::memory_order_relaxed)) [[unlikely]]
    counter.longest.store(ticks, std::memory_order_relaxed);
  if (static_cast<uint64_t>(result) >= static_cast<uint64_t>(-4095)) add(counter.errors, 1);
  counter.calls.store(calls + 1, std::memory_order_release);
}

}  // namespace sctrace::preload
