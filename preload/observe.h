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

// Did nobody wish anything?
[[gnu::always_inline]] inline bool observe_entry(ThreadState& self, uint32_t lookers) {
  Engaged& engaged = self.engaged;
  Shown& shown = self.shown;
  sctrace_call& call = shown.call;
  const arch::Frame& frame = self.frame;
  uint32_t choice = SCTRACE_RUN;
  __atomic_store_n(&engaged.wake, 0, __ATOMIC_RELAXED);
  engaged.raised = 0, engaged.kept = 0, engaged.flags = 0, engaged.seen = false;  // one store
  engaged.lookers = static_cast<uint8_t>(lookers);
  show(self, shown, 0);
  {
    const ShelteredWork work(self, arch::Phase::entering);
    engaged.pending = true, engaged.observed = true;  // from here on a signal undoes it
    set_calling(self, true);
    if (lookers == 1) [[likely]]  // one alone: its word stays where it is
      choice = engines.all[0].entry(engines.all[0].data, &call, SCTRACE_RUN);
    else
      for (uint32_t i = engines.count; i--;) {
        if (!(lookers >> i & 1)) continue;
        const Engine& engine = engines.all[i];
        call.word = 0;
        choice = engine.entry(engine.data, &call, static_cast<sctrace_choice>(choice));
        if (choice > SCTRACE_STOP) choice = SCTRACE_RUN;
        engaged.words[i] = call.word;
      }
    set_calling(self, false);
  }
  uint64_t differ = static_cast<uint64_t>(call.number) ^ frame.nr;
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) differ |= call.args[i] ^ frame.args[i];
  engaged.choice = static_cast<uint8_t>(choice);
  return !(differ | shown.flags | choice);
}

[[gnu::always_inline]] inline void observe_exit(ThreadState& self) {
  Engaged& engaged = self.engaged;
  if (engaged.seen) [[unlikely]]
    return;
  const int64_t answer = self.frame.result;
  Shown& shown = self.shown;
  const uint32_t lookers = engaged.lookers;
  const ShelteredWork work(self, arch::Phase::returned);
  shown.call.result = answer;
  set_calling(self, true);
  if (lookers == 1) [[likely]]
    engines.all[0].exit(engines.all[0].data, &shown.call);
  else
    for (uint32_t i = 0; i < engines.count; ++i) {
      if (!(lookers >> i & 1)) continue;
      const Engine& engine = engines.all[i];
      shown.call.word = engaged.words[i];
      engine.exit(engine.data, &shown.call);
    }
  set_calling(self, false);
  engaged.flags = shown.flags;
  if (shown.call.result != answer) [[unlikely]] {
    engaged.flags |= wire::altered_result;
    engaged.answer = answer;
    self.frame.result = shown.call.result;
  }
  engaged.seen = true;
}

}  // namespace sctrace::preload
