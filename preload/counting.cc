#include "preload/counting.h"

#include <asm/unistd.h>

#include <cerrno>

#include "formats/wire/counters.h"
#include "preload/global.h"
#include "preload/special.h"

namespace sctrace::preload {
namespace {

wire::Counter& counter_of(const ThreadState& self) {
  const auto nr = static_cast<uint32_t>(self.frame.nr);
  constexpr uint32_t last = wire::counter_numbers - 1;
  return reinterpret_cast<wire::Counter*>(self.out.bytes)[nr < last ? nr : last];
}

void add(std::atomic<uint64_t>& to, uint64_t n) {  // one writer: no locked instruction
  to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

}  // namespace

void begin_counters(RingWriter& out) {
  out.counts = true;
  out.cursor = out.limit = 0;  // there is never room for a record
}

// Pages that no call has touched yet are asked for first: where the disk is full that is an errno,
// and a store would be a SIGBUS.
void begin_counting(ThreadState& self) {
  const wire::Counter& counter = counter_of(self);
  if (!counter.calls.load(std::memory_order_relaxed)) [[unlikely]]
    if (!try_pages(self, reinterpret_cast<uint64_t>(&counter), sizeof counter))
      return count(self.out.header->lost);
  self.in_flight.counting = true;
  self.judged.began = arch::ticks();
}

// A signal finds all of a call in the counters, or nothing.
void end_counting(ThreadState& self, int64_t result) {
  self.in_flight.counting = false;
  if (!self.out.counts) return;  // parted meanwhile
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
