#include "preload/counting.h"

#include <asm/unistd.h>

#include <cerrno>

#include "preload/global.h"
#include "preload/special.h"

namespace sctrace::preload {
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

}  // namespace sctrace::preload
