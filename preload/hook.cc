#include "preload/hook.h"

#include "preload/capture.h"
#include "preload/global.h"
#include "preload/special.h"

namespace sctrace::preload {
namespace {

using arch::Phase;

// What the compiler must not move: signals.cc reads phase and cursor at any instruction.
void set_phase(ThreadState& self, Phase phase) {
  asm volatile("" ::: "memory");
  self.frame.phase = phase;
  asm volatile("" ::: "memory");
}

void count(std::atomic<uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

bool write_entry(ThreadState& self, uint32_t nr) {
  RingWriter& out = self.out;
  const arch::Frame& call = self.frame;
  uint32_t ticks;
  uint8_t* place = begin_record(self, out, 96, ticks);
  if (!place) return false;
  uint8_t* at = place + sizeof(wire::Entry);
  uint8_t flags = call.door ? wire::entry_trap : 0;
  const bool far = self.site_index == wire::site_bits;
  if (far) {
    flags |= wire::entry_far;
    __builtin_memcpy(at, &self.site, 8);
    at += 8;
  }
  const uint8_t arity = arity_of(nr);
  for (uint8_t i = 0; i < arity; ++i) {  // wide ones take 8 bytes: no branch on which
    const uint64_t value = call.args[i];
    const bool wide = value >> 32;
    __builtin_memcpy(at, &value, 8);
    at += wide ? 8 : 4;
    flags |= static_cast<uint8_t>(wide << i);
  }
  const bool escaped = nr >= wire::nr_escape;
  if (escaped) {
    __builtin_memcpy(at, &nr, 4);
    at += 4;
  }
  const uint64_t zero = 0;
  __builtin_memcpy(at, &zero, 8);
  const uint64_t size = (static_cast<uint64_t>(at - place) + 7) & ~7ull;
  *reinterpret_cast<wire::Entry*>(place) = {
      .header = {static_cast<uint16_t>(size / 8), wire::Type::entry, flags, ticks},
      .nr = escaped ? wire::nr_escape : static_cast<uint16_t>(nr),
      .site = static_cast<uint16_t>(self.site_index | arity << wire::argc_shift)};
  out.cursor += size;
  ++out.calls;
  return true;
}

}  // namespace

void write_exit(ThreadState& self, int64_t result, uint8_t flags) {
  RingWriter& out = self.out;
  uint32_t ticks;
  uint8_t* place = begin_record(self, out, sizeof(wire::Exit), ticks);
  if (!place) return count(out.header->lost);
  *reinterpret_cast<wire::Exit*>(place) = {.header = {2, wire::Type::exit, flags, ticks},
                                           .result = result};
  out.cursor += sizeof(wire::Exit);
}

void undo(ThreadState& self) {
  RingWriter& out = self.out;
  const bool recording = self.recording;
  self.recording = false;
  if (!out.header || out.dead) return;
  const uint64_t published = out.header->head.load(std::memory_order_relaxed);
  if (self.frame.phase != Phase::entered || published != out.cursor) {
    out.cursor = published;  // nobody saw it
    return;
  }
  if (!recording) return;
  write_exit(self, 0, wire::exit_cancelled);
  out.publish();
}

void write_restarted(ThreadState& self) {
  if (!self.recording) return;
  self.recording = false;
  write_exit(self, -512, wire::exit_restarted);  // ERESTARTSYS, as the kernel's own tracepoint says
  self.out.publish();
}

void write_signal(ThreadState& self, const void* siginfo, uint64_t address) {
  RingWriter& out = self.out;
  if (!out.header || out.dead) return;
  uint32_t ticks;
  uint8_t* place = begin_record(self, out, sizeof(wire::Signal), ticks);
  if (!place) return;
  auto* record = reinterpret_cast<wire::Signal*>(place);
  record->header = {sizeof(wire::Signal) / 8, wire::Type::signal, 0, ticks};
  record->address = address;
  __builtin_memcpy(record->siginfo, siginfo, sizeof record->siginfo);
  out.cursor += sizeof(wire::Signal);
  out.publish();
  count(out.header->signals);
}

}  // namespace sctrace::preload

using namespace sctrace::preload;

extern "C" uint32_t sctrace_enter(ThreadState& self) {
  auto& call = self.frame;
  const auto nr = static_cast<uint32_t>(call.nr);
  call.pass = call.args;
  call.pass_nr = call.nr;
  self.recording = false;
  self.how = 0;
  self.after = After::nothing;
  if (!call.door) {
    const auto index =
        *reinterpret_cast<const uint32_t*>(call.tail - 6);  // the stub says which (stub.h)
    self.site_index = index < sctrace::wire::site_max ? static_cast<uint16_t>(index)
                                                      : uint16_t{sctrace::wire::site_bits};
    self.site = global.stubs[index].site;
  }
  call.behind = self.site + 2;
  const uint8_t what = global.traced[nr < sizeof global.traced ? nr : sizeof global.traced - 1];
  if (RingWriter& out = self.out; out.header) [[likely]] {
    count(call.door ? out.header->calls_trap : out.header->calls_stub);
    if (what & wanted) {
      if (write_entry(self, nr)) {
        self.recording = true;
        if (what & has_in) take_in(self);
      } else {
        count(out.header->lost);
      }
    } else {
      count(out.header->filtered);
    }
  }
  set_phase(self, sctrace::arch::Phase::entered);
  if (self.recording) self.out.publish();
  if (what & is_special) [[unlikely]]
    return static_cast<uint32_t>(special_enter(self, nr));
  return ROUTE_RUN;
}

extern "C" void sctrace_leave(ThreadState& self) {
  const auto result = self.frame.result;
  if (self.after != After::nothing) [[unlikely]]
    special_leave(self);
  if (self.recording) {
    const auto nr = static_cast<uint32_t>(self.frame.nr);
    const uint8_t what = global.traced[nr < sizeof global.traced ? nr : sizeof global.traced - 1];
    if (what & has_out) take_out(self, result);
    write_exit(self, self.frame.result, self.how);
    set_phase(self, sctrace::arch::Phase::left);
    self.out.publish();
  } else {
    set_phase(self, sctrace::arch::Phase::left);
  }
}
