#include "preload/engaged.h"

#include <asm/unistd.h>
#include <linux/futex.h>

#include <cerrno>

#include "preload/capture.h"
#include "preload/control.h"
#include "preload/global.h"
#include "preload/hook.h"
#include "preload/live.h"
#include "preload/observe.h"
#include "preload/round.h"
#include "preload/services.h"
#include "preload/special.h"
#include "preload/told.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

void show(Round& round, uint32_t flags) {
  const Asked& asked = round.self.engaged.asked;
  show(round.self, round.shown, flags);
  round.shown.call.asked = static_cast<int64_t>(asked.nr);
  for (int i = 0; i < 6; ++i) round.shown.call.asked_args[i] = asked.args[i];
}

Asked asked_of(const arch::Frame& frame) {
  Asked asked{.nr = frame.nr, .args = {}};
  for (int i = 0; i < 6; ++i) asked.args[i] = frame.args[i];
  return asked;
}

bool same(const Asked& a, const Asked& b) {
  for (int i = 0; i < 6; ++i)
    if (a.args[i] != b.args[i]) return false;
  return a.nr == b.nr;
}

// Nothing is published yet and no lock is held: a signal's handler runs as it would in a call that
// waits, and the call is made again after it.
void wait_for_report(ThreadState& self) {
  while (!__atomic_load_n(&self.engaged.wake, __ATOMIC_ACQUIRE))
    raw_syscall(__NR_futex, &self.engaged.wake, FUTEX_WAIT_PRIVATE, 0, 0);
}

void ask_about_entry(Round& round, uint32_t flags) {
  ThreadState& self = round.self;
  Engaged& engaged = self.engaged;
  __atomic_store_n(&engaged.wake, 0, __ATOMIC_RELAXED);
  engaged.kept = 0, engaged.raised = 0;
  for (uint32_t i = 0; i < engines.count; ++i) engaged.words[i] = 0;
  round.done = 0, round.choice = SCTRACE_RUN;
  show(round, flags);
  go_round_sheltered(round);
}

// As long as some of them want it to wait: they are asked again by whoever woke it.
void wait_while_stopped(Round& round) {
  ThreadState& self = round.self;
  while (round.choice == SCTRACE_STOP) {
    if (self.engaged.stop)
      wait_for_verdict(self);
    else
      wait_for_report(self);
    ask_about_entry(round, round.shown.call.flags | SCTRACE_REPORTED);
  }
}

void barrier() { asm volatile("" ::: "memory"); }

// The frame becomes the call that is made.
void alter(ThreadState& self, const sctrace_call& call) {
  self.engaged.altered = true;
  barrier();
  self.frame.nr = static_cast<uint64_t>(call.number);
  for (int i = 0; i < 6; ++i) self.frame.args[i] = call.args[i];
}

void restore(ThreadState& self) {
  if (!self.engaged.altered) return;
  self.frame.nr = self.engaged.asked.nr;
  for (int i = 0; i < 6; ++i) self.frame.args[i] = self.engaged.asked.args[i];
  barrier();
  self.engaged.altered = false;
}

uint8_t difference(const ThreadState& self, const sctrace_call& call) {
  uint64_t differ = 0;
  for (int i = 0; i < 6; ++i) differ |= call.args[i] ^ self.frame.args[i];
  const bool other = static_cast<uint64_t>(call.number) != self.frame.nr;
  return static_cast<uint8_t>((other ? wire::altered_number : 0) |
                              (differ ? wire::altered_arguments : 0));
}

void write_altered(ThreadState& self, uint8_t flags, int64_t result) {
  RingWriter& out = self.out;
  uint32_t ticks;
  uint8_t* place = begin_record(self, out, sizeof(wire::Altered), ticks);
  if (!place) return;
  auto* record = reinterpret_cast<wire::Altered*>(place);
  record->header = {sizeof(wire::Altered) / 8, wire::Type::altered, flags, ticks};
  record->nr = static_cast<uint32_t>(self.frame.nr);
  record->reserved = 0;
  record->result = result;
  for (int i = 0; i < 6; ++i) record->args[i] = self.frame.args[i];
  out.cursor += sizeof(wire::Altered);
}

void tell_end_of_life(ThreadState& self) {
  const uint64_t* args = self.frame.args;
  const auto status = static_cast<int32_t>(args[0]);
  SpecialWork work(self);
  switch (static_cast<uint32_t>(self.frame.nr)) {
    case __NR_exit: return tell_life(self, SCTRACE_THREAD_GONE, 0, status);
    case __NR_exit_group: return tell_life(self, SCTRACE_PROCESS_GONE, 0, status);
    case __NR_execve: return tell_life(self, SCTRACE_EXEC, args[0]);
    case __NR_execveat: return tell_life(self, SCTRACE_EXEC, args[1]);
    default: return;
  }
}

bool is_exec(uint64_t nr) {
  const auto n = static_cast<uint32_t>(nr);
  return n == __NR_execve || n == __NR_execveat;
}

bool ends_life(uint64_t nr) {
  const auto n = static_cast<uint32_t>(nr);
  return n == __NR_exit || n == __NR_exit_group || is_exec(nr);
}

// The device's wishes change while the program runs.
bool is_anyones(uint32_t nr) {
  for (uint32_t i = 0; i < engines.count; ++i)
    if (engines.all[i].wants_call(nr)) return true;
  return ends_life(nr);
}

// What is left of the way to the kernel, once the entry is written.
uint32_t go(ThreadState& self, const Facts& facts) {
  if (facts.what & (is_special | is_exact)) return enter_specially(self, facts);
  if (self.in_flight.recording && facts.what & has_in) take_in(self, facts);
  entered(self);
  return ROUTE_RUN;
}

uint32_t skip(ThreadState& self, int64_t result) {
  self.frame.result = result;
  self.in_flight.how |= wire::exit_skipped;
  self.in_flight.after = After::nothing;
  entered(self);
  return ROUTE_SKIP;
}

uint32_t enter_as_chosen(Round& round) {
  ThreadState& self = round.self;
  Engaged& engaged = self.engaged;
  const auto nr = static_cast<uint32_t>(self.frame.nr);
  const Facts& facts = facts_for(nr);
  const sctrace_call& call = round.shown.call;
  const uint8_t flags = round.shown.flags | difference(self, call);
  tell_entry(self, nr, facts);
  const bool moved = flags & (wire::altered_number | wire::altered_arguments);
  const bool recording = self.in_flight.recording;
  const bool skipped = round.choice == SCTRACE_SKIP;
  // What the program asked comes before what was made of it.
  const bool taken = recording && (flags || skipped) && facts.what & has_in;
  if (taken) take_in(self, facts);
  if (moved) alter(self, call);
  if (flags && recording) write_altered(self, flags, 0);
  engaged.flags = flags;
  self.in_flight.engaged = true;
  const auto made_nr = static_cast<uint32_t>(self.frame.nr);
  if (skipped) return skip(self, call.result);
  if (made_nr == __NR_rt_sigreturn) return skip(self, -ENOSYS);
  Facts made = facts_for(made_nr);
  if (moved && recording) {
    self.in_flight.out = made.in_flight.out;
    self.in_flight.after = made.in_flight.after;
  }
  if (taken && !moved) made.what &= static_cast<uint8_t>(~has_in);
  if (ends_life(made_nr)) {
    if (!is_exec(made_nr)) withdraw(self);  // nobody will come back to say how it ended
    tell_end_of_life(self);
  }
  return go(self, made);
}

}  // namespace

uint32_t enter_engaged(ThreadState& self) {
  if (!is_open()) return enter_shut(self);
  Engaged& engaged = self.engaged;
  const auto nr = static_cast<uint32_t>(self.frame.nr);
  if (!is_anyones(nr)) {
    const Facts& facts = facts_for(nr);
    tell_entry(self, nr, facts);
    return go(self, facts);
  }
  const Asked asked = asked_of(self.frame);
  const bool again =
      engaged.was_undone && engaged.undone_site == site_of(self) && same(engaged.undone, asked);
  if (again) engaged.was_undone = false;
  engaged.asked = asked;
  engaged.flags = 0;
  engaged.observed = engaged.seen = false;
  Round round(self, Moment::entry, has_libc(self, !self.frame.door));
  ask_about_entry(round, again ? SCTRACE_AGAIN : 0);
  wait_while_stopped(round);
  return enter_as_chosen(round);
}

sctrace_choice ask_lookers(ThreadState& self) {
  Engaged& engaged = self.engaged;
  sctrace_call& call = self.shown.call;
  uint32_t choice = SCTRACE_RUN;
  for (uint32_t i = engines.count; i--;) {
    if (!(engaged.lookers >> i & 1)) continue;
    const Engine& engine = engines.all[i];
    call.word = 0;
    choice = engine.entry(engine.data, &call, static_cast<sctrace_choice>(choice));
    if (choice > SCTRACE_STOP) choice = SCTRACE_RUN;
    engaged.words[i] = call.word;
  }
  return static_cast<sctrace_choice>(choice);
}

void tell_lookers(ThreadState& self) {
  const Engaged& engaged = self.engaged;
  sctrace_call& call = self.shown.call;
  for (uint32_t i = 0; i < engines.count; ++i) {
    if (!(engaged.lookers >> i & 1)) continue;
    const Engine& engine = engines.all[i];
    call.word = engaged.words[i];
    engine.exit(engine.data, &call);
  }
}

uint32_t enter_as_wished(ThreadState& self) {
  self.engaged.observed = false;
  self.engaged.asked = asked_of(self.frame);
  Round round(self, Moment::entry, true);
  round.shown = self.shown;
  round.choice = sane(static_cast<sctrace_choice>(self.engaged.choice));
  if (self.engaged.lookers == 1) self.engaged.words[0] = self.shown.call.word;
  wait_while_stopped(round);
  return enter_as_chosen(round);
}

void leave_engaged(ThreadState& self) {
  ShelteredWork work(self);
  Engaged& engaged = self.engaged;
  const int64_t answer = self.frame.result;
  const uint32_t skipped = self.in_flight.how & wire::exit_skipped ? SCTRACE_SKIPPED : 0;
  // A thread may have unmapped its own libc's variables together with its stack.
  const bool by_stub = !self.frame.door && static_cast<uint32_t>(self.frame.nr) != __NR_munmap;
  Round round(self, Moment::exit, has_libc(self, by_stub));
  if (ends_life(self.frame.nr) && !skipped) {
    SpecialWork counted(self);
    tell_life(self, SCTRACE_EXEC_FAILED, 0);
  }
  engaged.answer = answer;
  if (engines.see_exits) {
    show(round, skipped);
    round.shown.call.result = answer;
    go_round_sheltered(round);
    engaged.flags |= round.shown.flags;
    if (round.shown.call.result != answer) engaged.flags |= wire::altered_result;
    self.frame.result = round.shown.call.result;
  }
  engaged.seen = true;
  self.in_flight.after = After::nothing;
}

void write_altered_result(ThreadState& self) {
  if (self.engaged.flags) write_altered(self, self.engaged.flags, self.engaged.answer);
}

void end_engaged(ThreadState& self) {
  restore(self);
  self.engaged.pending = self.engaged.observed = false;
  const int32_t raised = self.engaged.raised;
  self.engaged.raised = 0;
  if (!raised) return;
  constexpr int32_t by_kernel = 0x80;  // SI_KERNEL
  constexpr uint64_t sig_dfl = 0;
  arch::Info info{};
  info.signo = raised;
  const bool guarded_one = guarded >> (raised - 1) & 1;
  info.code = guarded_one ? 0 : by_kernel;
  if (self.process->actions[raised].handler == sig_dfl)
    write_signal(self, &info, {site_of(self) + 2, self.frame.rsp, self.frame.rbp, 0});
  raw_syscall(__NR_rt_tgsigqueueinfo, self.process->pid, self.tid, raised, &info);
}

void undo_engaged(ThreadState& self) {
  withdraw(self);
  Engaged& engaged = self.engaged;
  restore(self);
  engaged.pending = engaged.observed = false;
  engaged.raised = 0;
  engaged.was_undone = true;
  engaged.undone = asked_of(self.frame);
  engaged.undone_site = site_of(self);
}

}  // namespace sctrace::preload
