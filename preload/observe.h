// The way of a call that engines only look on at, most likely: all who see it are bare, always
// there (Engines::lookers), and it is a call like most. What they are shown is kept in the thread,
// so that the end of the call needs little more; who has a wish after all goes on by
// enter_as_wished(). tests/way counts its instructions.
#pragma once
#include "preload/engine.h"
#include "preload/special.h"

namespace sctrace::preload {

uint32_t enter_as_wished(ThreadState& self);  // engaged.cc: `shown` and `choice` say what they wish

// As the program made it.
[[gnu::always_inline]] inline void show(ThreadState& self, Shown& shown, uint32_t flags) {
  sctrace_call& call = shown.call;
  const arch::Frame& frame = self.frame;
  shown.self = &self;
  call.size = sizeof call;
  call.flags = flags;
  call.pid = static_cast<int32_t>(self.pid), call.tid = static_cast<int32_t>(self.tid);
  call.site = site_of(self);
  call.number = call.asked = static_cast<int64_t>(frame.nr);
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) {
    const uint64_t argument = frame.args[i];
    call.args[i] = argument, call.asked_args[i] = argument;
  }
  call.result = 0, call.word = 0;
  shown.flags = 0;
}

// More than one, or one that is not alone in the chain: each has a word of its own.
sctrace_choice ask_lookers(ThreadState& self);
void tell_lookers(ThreadState& self);

// Did nobody wish anything?
[[gnu::always_inline]] inline bool observe_entry(ThreadState& self, uint32_t lookers) {
  Engaged& engaged = self.engaged;
  Shown& shown = self.shown;
  sctrace_call& call = shown.call;
  const arch::Frame& frame = self.frame;
  uint32_t choice;
  __atomic_store_n(&engaged.wake, 0, __ATOMIC_RELAXED);
  engaged.raised = 0, engaged.kept = 0, engaged.flags = 0, engaged.seen = false;  // one store
  engaged.lookers = static_cast<uint8_t>(lookers);
  show(self, shown, 0);
  begin_shelter(self, arch::Phase::entering);
  // From here on a signal undoes it. One store: `was_undone` is not set.
  engaged.calling = true, engaged.pending = true, engaged.observed = true;
  engaged.was_undone = false;
  asm volatile("" ::: "memory");
  if (lookers == 1) [[likely]]  // one alone: its word stays where it is
    choice = engines.all[0].entry(engines.all[0].data, &call, SCTRACE_RUN);
  else
    choice = ask_lookers(self);
  set_calling(self, false);
  end_shelter(self, arch::Phase::entering);
  uint64_t differ = static_cast<uint64_t>(call.number) ^ frame.nr;
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) differ |= call.args[i] ^ frame.args[i];
  if (!(differ | shown.flags | choice)) [[likely]]
    return true;
  engaged.choice = static_cast<uint8_t>(choice);
  return false;
}

[[gnu::always_inline]] inline void observe_exit(ThreadState& self) {
  Engaged& engaged = self.engaged;
  if (engaged.seen) [[unlikely]]
    return;
  const int64_t answer = self.frame.result;
  Shown& shown = self.shown;
  const uint32_t lookers = engaged.lookers;
  begin_shelter(self, arch::Phase::returned);
  shown.call.result = answer;
  set_calling(self, true);
  if (lookers == 1) [[likely]]
    engines.all[0].exit(engines.all[0].data, &shown.call);
  else
    tell_lookers(self);
  set_calling(self, false);
  engaged.flags = shown.flags;
  if (shown.call.result != answer) [[unlikely]] {
    engaged.flags |= wire::altered_result;
    engaged.answer = answer;
    self.frame.result = shown.call.result;
  }
  engaged.seen = true;
  end_shelter(self, arch::Phase::returned);
}

}  // namespace sctrace::preload
