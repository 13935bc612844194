#include "preload/hook.h"

#include <asm/unistd.h>

#include "preload/arrive.h"
#include "preload/capture.h"
#include "preload/counting.h"
#include "preload/dispatch.h"
#include "preload/engaged.h"
#include "preload/engine.h"
#include "preload/exact.h"
#include "preload/global.h"
#include "preload/judge.h"
#include "preload/live.h"
#include "preload/observe.h"
#include "preload/pack.h"
#include "preload/plain_names.h"
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

bool write_entry(ThreadState& self, uint32_t nr, unsigned arity, uint32_t flags = 0) {
  RingWriter& out = self.out;
  uint32_t ticks;
  uint8_t* place = begin_record(self, out, entry_most, ticks);
  if (!place) return false;
  uint8_t* at = place + sizeof(wire::Entry);
  if (self.frame.door) flags |= wire::entry_trap;
  if (self.site_index == wire::site_bits) {
    const uint64_t site = site_of(self);
    flags |= wire::entry_far;
    __builtin_memcpy(at, &site, 8);
    at += 8;
  }
  Packed packed = pack(at, self.frame.args, arity);
  const bool escaped = nr >= wire::nr_escape;
  if (escaped) {
    const uint64_t number = nr;
    __builtin_memcpy(packed.end, &number, 8);
    packed.end += 4;
    __builtin_memset(packed.end, 0, 8);
  }
  const uint64_t size = (static_cast<uint64_t>(packed.end - place) + 7) & ~7ull;
  self.judged.begin = out.cursor;
  const uint32_t head = entry_head(escaped ? wire::nr_escape : nr, arity) |
                        static_cast<uint32_t>(self.site_index) << 16;
  put_header(place, size, wire::Type::entry, flags | packed.wide, ticks);
  __builtin_memcpy(place + 8, &head, 4);
  out.cursor += size;
  ++out.calls;
  return true;
}

// Nobody asked for this call. That it ends its thread or process is told all the same.
void leave_out(ThreadState& self, uint32_t nr, const Facts& facts) {
  RingWriter& out = self.out;
  count(out.header->filtered);
  const bool ends = nr == __NR_exit || nr == __NR_exit_group;
  if (!ends || out.counts || !is_recording()) return;
  if (!write_entry(self, nr, facts.arity(), wire::entry_ending)) return;
  --out.calls;
  self.in_flight.recording = 1;
}

// A call whose entry lies in the ring, or that has none, may go to the kernel.
[[gnu::always_inline]] inline void has_entered(ThreadState& self) {
  set_phase(self, Phase::entered);
  if (self.in_flight.recording) self.out.publish();
}

// Made, and not written.
uint32_t enter_unwritten(ThreadState& self) {
  auto& call = self.frame;
  call.pass = call.args;
  call.pass_nr = call.nr;
  set_phase(self, Phase::entered);
  const auto nr = static_cast<uint32_t>(call.nr);
  auto route = arch::Route::run;
  if (special(nr) && !moves_names(nr)) route = special_enter(self, nr);
  return route == arch::Route::run ? ROUTE_PASS : static_cast<uint32_t>(route);
}

// No trap is armed before a thread has arrived: `sctrace ctl` has led it here, out of a call that
// it sleeps in (formats/wire/live.h). That was begun before, and goes on by our gate.
uint32_t enter_begun(ThreadState& self) {
  if (const rewriter::Stub* stub = rewriter::stub_of(self.frame.tail))
    self.frame.behind = stub->site + 2;
  return enter_unwritten(self);
}

// The long way, for all that the short one leaves out: a trapped call, one that is not
// wanted, a block that is full, a number beyond the table, a thread without a ring.
[[gnu::noinline]] uint32_t enter_with_care(ThreadState& self) {
  auto& call = self.frame;
  const auto nr = static_cast<uint32_t>(call.nr);
  count_besides(self);
  self.in_flight = {};
  if (!call.door) {
    const uint32_t index = rewriter::index_at_tail(call.tail);
    self.site_index = static_cast<uint16_t>(index < wire::site_max ? index : wire::site_bits);
    call.behind = rewriter::behind_at_tail(call.tail);
  }
  if (self.bond != wire::Bond::here) [[unlikely]] {
    if (!try_arrive(self)) return ROUTE_AROUND;
    if (call.door) return enter_begun(self);
  }
  if (self.dispatch.on) [[unlikely]]
    ask_dispatch(self);
  const Facts& facts = facts_for(nr);
  if (facts.what & is_engaged) return enter_engaged(self);
  tell_entry(self, nr, facts);
  if (facts.what & (is_special | is_exact)) return enter_specially(self, facts);
  if (self.in_flight.recording && facts.what & has_in) take_in(self, facts);
  self.judged.end = self.out.cursor;
  has_entered(self);
  return ROUTE_RUN;
}

// The rest of a call that was entered the short way.
[[gnu::noinline]] uint32_t enter_with_memory(ThreadState& self) {
  take_in(self, global.facts[static_cast<uint32_t>(self.frame.nr)]);
  has_entered(self);
  return ROUTE_RUN;
}

[[gnu::noinline]] uint32_t enter_with_more(ThreadState& self) {
  return enter_specially(self, global.facts[static_cast<uint32_t>(self.frame.nr)]);
}

// The exit of the call, all of it. False: there is no room, or the clock has run off.
[[gnu::always_inline]] inline bool try_leave(ThreadState& self) {
  RingWriter& out = self.out;
  const uint64_t end = out.cursor + sizeof(wire::Exit);
  if (end > out.limit) [[unlikely]]
    return false;
  const uint64_t ticks = arch::ticks() - out.tsc;
  if (ticks >> 32) [[unlikely]]
    return false;
  uint8_t* place = out.place();
  put_header(place, sizeof(wire::Exit), wire::Type::exit, 0, ticks);
  __builtin_memcpy(place + 8, &self.frame.result, 8);
  out.cursor = end;
  set_phase(self, Phase::left);
  out.publish(end);
  return true;
}

[[gnu::noinline]] void leave_with_memory(ThreadState& self) {
  take_out(self, facts_for(static_cast<uint32_t>(self.frame.nr)), self.frame.result);
  if (try_leave(self)) [[likely]]
    return;
  write_exit(self, self.frame.result, 0);
  set_phase(self, Phase::left);
  self.out.publish();
}

// The entry goes, as if nothing had been written. False: it can't.
bool take_back(ThreadState& self) {
  if (!try_take_back(self)) return false;
  set_phase(self, Phase::left);
  self.out.publish();
  return true;
}

[[gnu::noinline]] void leave_counted(ThreadState& self) {
  {
    const ShelteredWork work(self, Phase::returned);
    end_counting(self, self.frame.result);
  }
  set_phase(self, Phase::left);
}

// A call that was not recorded, or of which only now is known whether it stays.
[[gnu::noinline]] void leave_judged(ThreadState& self, int64_t result) {
  if (self.in_flight.counting) return leave_counted(self);
  if (!self.in_flight.recording) return set_phase(self, Phase::left);
  uint8_t how = self.in_flight.how;
  if (!keeps(self, self.frame.result)) {
    if (take_back(self)) return;
    how |= wire::exit_filtered;
  } else if (self.in_flight.out == Out::taken) {
    take_out(self, facts_for(static_cast<uint32_t>(self.frame.nr)), result);
  }
  write_altered_result(self);
  write_exit(self, self.frame.result, how);
  set_phase(self, Phase::left);
  self.out.publish();
  settle_records(self);
}

// Engines have seen its entry: exit callbacks, and the frame made the program's again.
[[gnu::noinline]] void leave_with_engines(ThreadState& self) {
  if (self.in_flight.out == Out::exact) leave_exactly(self);
  if (self.in_flight.after != After::nothing) special_leave(self);
  if (self.in_flight.engaged && !self.engaged.seen) leave_engaged(self);
  if (self.in_flight.recording != 1) {
    leave_judged(self, self.frame.result);
    return end_engaged(self);
  }
  const Facts& facts = facts_for(static_cast<uint32_t>(self.frame.nr));
  if (self.in_flight.out == Out::taken) take_out(self, facts, self.frame.result);
  write_altered_result(self);
  write_exit(self, self.frame.result, self.in_flight.how);
  set_phase(self, Phase::left);
  self.out.publish();
  end_engaged(self);
}

// They looked on, and have no wish now either: the exit of the call, as of any.
[[gnu::noinline]] void leave_observed(ThreadState& self) {
  if (engines.see_exits) observe_exit(self);
  constexpr InFlight plain{.recording = 1, .engaged = true};
  constexpr InFlight filling{.recording = 1, .engaged = true, .out = Out::taken};
  const uint32_t call = as_word(self.in_flight);
  const bool is_filling = call == as_word(filling);
  if (self.engaged.flags || (call != as_word(plain) && !is_filling))
    return leave_with_engines(self);
  if (is_filling)
    take_out(self, facts_for(static_cast<uint32_t>(self.frame.nr)), self.frame.result);
  if (!try_leave(self)) [[unlikely]] {
    write_exit(self, self.frame.result, 0);
    set_phase(self, Phase::left);
    self.out.publish();
  }
  if (self.engaged.raised) [[unlikely]]
    return end_engaged(self);
  self.engaged.calling = self.engaged.pending = self.engaged.observed = false;
  self.engaged.was_undone = false;  // it is not set: one store for all
}

[[gnu::noinline]] void leave_with_care(ThreadState& self) {
  if (self.engaged.pending) [[unlikely]]
    return leave_with_engines(self);
  const auto result = self.frame.result;
  if (self.in_flight.out == Out::exact) leave_exactly(self);
  if (self.in_flight.after != After::nothing) special_leave(self);
  if (self.in_flight.recording != 1) [[unlikely]]
    return leave_judged(self, result);
  if (self.in_flight.out == Out::taken)
    take_out(self, facts_for(static_cast<uint32_t>(self.frame.nr)), result);
  if (!self.in_flight.how && try_leave(self)) [[likely]]
    return;
  write_exit(self, self.frame.result, self.in_flight.how);
  set_phase(self, Phase::left);
  self.out.publish();
}

}  // namespace

// What has no row is like the last number, which has none.
const Facts& facts_for(uint32_t nr) { return global.facts[nr < facts_most ? nr : facts_most - 1]; }

void entered(ThreadState& self) {
  self.judged.end = self.out.cursor;
  has_entered(self);
}

// A call whose entry is written, and of which more is wanted than to be made.
uint32_t enter_specially(ThreadState& self, const Facts& facts) {
  auto& call = self.frame;
  call.pass = call.args;
  call.pass_nr = call.nr;
  const bool recording = self.in_flight.recording;
  const bool exact = recording && facts.what & is_exact && try_enter_exactly(self);
  if (recording && !exact && facts.what & has_in) take_in(self, facts);
  self.judged.end = self.out.cursor;
  has_entered(self);
  auto route = arch::Route::run;
  if (facts.what & is_special) route = special_enter(self, static_cast<uint32_t>(call.nr));
  if (exact) self.in_flight.out = Out::exact;
  return route == arch::Route::run ? ROUTE_PASS : static_cast<uint32_t>(route);
}

void count_besides(ThreadState& self) {
  if (!self.beside.calls) [[likely]]
    return;
  if (self.out.header)
    self.out.header->untraced.fetch_add(self.beside.calls, std::memory_order_relaxed);
  self.beside.calls = 0;
}

uint32_t enter_shut(ThreadState& self) {
  const uint32_t route = enter_unwritten(self);
  if (self.in_flight.after == After::nothing) self.in_flight.after = After::parted;
  return route;
}

void tell_entry(ThreadState& self, uint32_t nr, const Facts& facts, bool always) {
  RingWriter& out = self.out;
  self.in_flight.after = facts.in_flight.after;  // recorded or not
  if (!out.header) return;
  count(self.frame.door ? out.header->calls_trap : out.header->calls_stub);
  const bool asks = !always && facts.what & is_judged;
  const bool wanted = asks ? admits(self, nr) : always || facts.what & (is_wanted | is_asked);
  if (!wanted) return leave_out(self, nr, facts);
  if (out.counts) return begin_counting(self);
  if (!write_entry(self, nr, facts.arity())) return count(out.header->lost);
  self.in_flight = facts.in_flight;
  if (asks) note_entry(self);
  if (global.config.stack != Stacks::off) put_stack(self);
}

void write_exit(ThreadState& self, int64_t result, uint8_t flags) {
  RingWriter& out = self.out;
  uint32_t ticks;
  uint8_t* place = begin_record(self, out, sizeof(wire::Exit), ticks);
  if (!place) return count(out.header->lost);
  put_header(place, sizeof(wire::Exit), wire::Type::exit, flags, ticks);
  __builtin_memcpy(place + 8, &result, 8);
  out.cursor += sizeof(wire::Exit);
}

// A walk may fault, which the kernel must not have blocked.
void write_signal(ThreadState& self, const void* siginfo, const Place& interrupted) {
  RingWriter& out = self.out;
  if (!out.header || out.dead) return;
  uint32_t ticks;
  uint8_t* place = begin_record(self, out, sizeof(wire::Signal), ticks);
  if (!place) return;
  auto* record = reinterpret_cast<wire::Signal*>(place);
  record->header = {sizeof(wire::Signal) / 8, wire::Type::signal, 0, ticks};
  record->address = interrupted.pc;
  __builtin_memcpy(record->siginfo, siginfo, sizeof record->siginfo);
  out.cursor += sizeof(wire::Signal);
  if (global.config.stack != Stacks::off && !self.held) put_stack(self, interrupted);
  out.publish();
  count(out.header->signals);
}

}  // namespace sctrace::preload

using namespace sctrace;
using namespace sctrace::preload;

namespace {

[[gnu::always_inline]] inline void know_site(ThreadState& self, uint32_t index) {
  self.site_index = static_cast<uint16_t>(index);
  self.frame.behind = rewriter::behind_at_tail(self.frame.tail);
}

// A call that is counted, and like most: its counter is there.
[[gnu::noinline]] uint32_t enter_counted(ThreadState& self) {
  constexpr uint8_t like_most =
      is_wanted | is_special | is_exact | is_engaged | is_asked | is_judged;
  auto& call = self.frame;
  const auto nr = static_cast<uint32_t>(call.nr);
  if (call.door || nr >= facts_most || (global.facts[nr].what & like_most) != is_wanted ||
      !counter_of(self).calls.load(std::memory_order_relaxed))
    return enter_with_care(self);
  const uint32_t index = rewriter::index_at_tail(call.tail);
  know_site(self, index < wire::site_max ? index : wire::site_bits);
  self.in_flight = {.counting = true};
  count(self.out.header->calls_stub);
  self.judged.began = arch::ticks();
  set_phase(self, Phase::entered);
  return ROUTE_RUN;
}

// The entry of a stub's call, all of it: room and clock are known to hold. Answers its end.
[[gnu::always_inline]] inline uint64_t put_entry(ThreadState& self, const Facts& facts,
                                                 uint32_t index, uint64_t begin, uint64_t ticks) {
  auto& call = self.frame;
  RingWriter& out = self.out;
  uint8_t* place = out.place();
  const uint32_t head = facts.head | index << 16;
  __builtin_memcpy(place + 8, &head, 4);
  const Packed packed = pack(place + sizeof(wire::Entry), call.args, facts.arity());
  const uint64_t size = (static_cast<uint64_t>(packed.end - place) + 7) & ~7ull;
  put_header(place, size, wire::Type::entry, packed.wide, ticks);
  const uint64_t end = begin + size;
  out.cursor = end;
  ++out.calls;
  count(out.header->calls_stub);
  return end;
}

// Engines have looked on at it.
[[gnu::noinline]] uint32_t enter_looked_on(ThreadState& self) {
  const Facts& facts = global.facts[static_cast<uint32_t>(self.frame.nr)];
  const uint64_t ticks = arch::ticks() - self.out.tsc;
  if (ticks >> 32) [[unlikely]] {
    self.engaged.choice = SCTRACE_RUN;
    return enter_as_wished(self);
  }
  const uint8_t what = facts.what;
  InFlight seen = facts.in_flight;
  seen.engaged = true;
  self.in_flight = seen;
  const uint64_t end = put_entry(self, facts, self.site_index, self.out.cursor, ticks);
  if (what & has_in) return enter_with_memory(self);
  set_phase(self, Phase::entered);
  self.out.publish(end);
  return ROUTE_RUN;
}

// A call that is asked for, but not as most are: engines want to see it, its stack is kept, or some
// thread has a dispatch of its own.
[[gnu::noinline]] uint32_t enter_observed(ThreadState& self) {
  auto& call = self.frame;
  const uint32_t lookers = engines.lookers[static_cast<uint32_t>(call.nr)];
  const uint32_t index = rewriter::index_at_tail(call.tail);
  const bool may_differ = self.engaged.was_undone | self.dispatch.on;
  if (!lookers || index >= wire::site_max || may_differ) [[unlikely]]
    return enter_with_care(self);
  self.in_flight = {};
  know_site(self, index);
  return observe_entry(self, lookers) ? enter_looked_on(self) : enter_as_wished(self);
}

}  // namespace

// The short ways: a stub's call, room in the block, a clock that has not run off. What they store
// and in which order, signals.cc relies on; tests/rules/way.cc counts their instructions.
extern "C" uint32_t sctrace_enter(ThreadState& self) {
  auto& call = self.frame;
  RingWriter& out = self.out;
  const auto nr = static_cast<uint32_t>(call.nr);
  const uint64_t begin = out.cursor;
  if (call.door || nr >= facts_most || begin + entry_most > out.limit) [[unlikely]]
    return out.counts ? enter_counted(self) : enter_with_care(self);
  const Facts& facts = global.facts[nr];
  const uint8_t what = facts.what;
  if (!(what & is_wanted)) [[unlikely]]
    return what & is_asked ? enter_observed(self) : enter_with_care(self);
  const uint64_t ticks = arch::ticks() - out.tsc;
  if (ticks >> 32) [[unlikely]]
    return enter_with_care(self);
  const uint32_t index = rewriter::index_at_tail(call.tail);
  if (index >= wire::site_max) [[unlikely]]  // not in the image's table: the entry has the address
    return enter_with_care(self);
  self.in_flight = facts.in_flight;
  know_site(self, index);
  const uint64_t end = put_entry(self, facts, index, begin, ticks);
  if (what & (has_in | is_special | is_exact))
    return what & (is_special | is_exact) ? enter_with_more(self) : enter_with_memory(self);
  set_phase(self, arch::Phase::entered);
  out.publish(end);
  return ROUTE_RUN;
}

extern "C" void sctrace_leave(ThreadState& self) {
  constexpr InFlight plain{.recording = 1}, filling{.recording = 1, .out = Out::taken},
      counting{.counting = true};
  const uint32_t call = as_word(self.in_flight);
  if (call == as_word(filling)) return leave_with_memory(self);
  if (call == as_word(plain) && try_leave(self)) [[likely]]
    return;
  if (self.engaged.observed) return leave_observed(self);
  call == as_word(counting) ? leave_counted(self) : leave_with_care(self);
}
