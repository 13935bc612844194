#include "preload/ending.h"

#include "preload/counting.h"
#include "preload/engaged.h"
#include "preload/hook.h"
#include "preload/judge.h"
#include "preload/ring_writer.h"

namespace sctrace::preload {

using arch::Phase;

void undo(ThreadState& self) {
  RingWriter& out = self.out;
  if (self.engaged.pending) undo_engaged(self);
  const bool recording = self.in_flight.recording;
  self.in_flight.recording = self.in_flight.counting = false;
  if (!out.header || out.dead) return;
  const uint64_t published = out.published();
  const bool was_shown = published == out.cursor || published == self.shown_at;
  out.cursor = published;  // what is behind it nobody saw
  if (!recording || self.frame.phase != Phase::entered || !was_shown) return;
  write_exit(self, 0, wire::exit_cancelled);
  out.publish();
}

void write_end(ThreadState& self, int64_t result, uint8_t how) {
  if (self.in_flight.counting) {
    self.in_flight.counting = false;
    return end_counting(self, result);
  }
  if (!self.in_flight.recording) return;
  const bool asks = self.in_flight.recording == judged;
  const bool unwanted = asks && !keeps(self, result);
  self.in_flight.recording = 0;
  if (!unwanted || !try_take_back(self))
    write_exit(self, result, how | (unwanted ? wire::exit_filtered : 0));
  self.out.publish();
  if (asks) settle_records(self);
}

void write_restarted(ThreadState& self) {
  constexpr int64_t restart = -512;  // ERESTARTSYS, as the kernel's own tracepoint says
  if (self.engaged.pending) undo_engaged(self);
  write_end(self, restart, wire::exit_restarted);
}

}  // namespace sctrace::preload
