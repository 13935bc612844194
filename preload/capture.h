// take_in(), take_out(): the bytes behind a call's arguments, as the table says, into the ring.
// What is read of the app's memory is read here and nowhere else, by a copy that survives any
// address.
#pragma once
#include "preload/put.h"
#include "preload/thread.h"

namespace sctrace::preload {

bool interpret_in(ThreadState& self);  // as the plan says, argument by argument
bool interpret_out(ThreadState& self, int64_t result);
bool take_steps_in(ThreadState& self);  // where nothing but registers has to be asked
bool take_steps_out(ThreadState& self, uint64_t result);

inline bool take_in(ThreadState& self, const Facts& facts) {
  const uint64_t* args = self.frame.args;
  switch (facts.in) {
    case Shape::path: return put_string(self, args[facts.in_at]);
    case Shape::buffer: return put_buffer(self, 0, args[facts.in_at], args[facts.in_by]);
    case Shape::steps: return take_steps_in(self);
    default: return interpret_in(self);
  }
}

inline bool take_out(ThreadState& self, const Facts& facts, int64_t result) {
  const uint64_t address = self.frame.args[facts.out_at];
  const auto n = static_cast<uint64_t>(result);
  if (result >= 0 && facts.out == Shape::buffer)
    return put_buffer(self, wire::data_out, address, n);
  if (result >= 0 && facts.out == Shape::structure)
    return put_whole(self, wire::data_out, address, facts.out_bytes);
  if (result >= 0 && facts.out == Shape::steps) return take_steps_out(self, n);
  return interpret_out(self, result);
}

// Copies from the app; false when any byte could not be read.
bool read_app(void* to, uint64_t from, uint64_t n);
bool write_app(uint64_t to, const void* from, uint64_t n);

// act(name) for each of the arguments in `mask` (bit i: argument i) that can be read: what can't
// be, the kernel won't read either.
template <typename Act>
void each_path(const ThreadState& self, uint8_t mask, Act act) {
  char path[4096];
  for (int i = 0; i < 6; ++i) {
    const auto at = reinterpret_cast<const char*>(self.frame.args[i]);
    if (!(mask >> i & 1) || !at) continue;
    const long n = sctrace_copy_string(path, at, sizeof path - 1);
    if (n < 0) continue;
    path[n] = 0;
    act(path);
  }
}

}  // namespace sctrace::preload
