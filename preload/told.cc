#include "preload/told.h"

#include "preload/round.h"

namespace sctrace::preload {

void tell_life(ThreadState& self, sctrace_event event, uint64_t what, int32_t status) {
  const sctrace_life life{.size = sizeof(sctrace_life),
                          .event = event,
                          .pid = static_cast<int32_t>(self.pid),
                          .tid = static_cast<int32_t>(self.tid),
                          .other = static_cast<int32_t>(self.parent),
                          .status = status,
                          .what = what};
  Round round(self, Moment::life, has_libc(self, false));
  round.life = &life;
  go_round(round, are_bare(round));
}

int ask_about_signal(ThreadState& self, int signo, const arch::Info& info, uint64_t address) {
  bool asked = false;
  for (uint32_t i = 0; i < engines.count; ++i)
    asked |= engines.all[i].on && engines.all[i].code->signal;
  if (!asked) return signo;
  if (self.engaged.replaced == signo) return self.engaged.replaced = 0, signo;
  sctrace_signal signal{.size = sizeof signal,
                        .pid = static_cast<int32_t>(self.pid),
                        .tid = static_cast<int32_t>(self.tid),
                        .number = signo,
                        .info = &info,
                        .address = address};
  const arch::Phase phase = self.frame.phase;
  self.frame.phase = arch::Phase::special;
  Round round(self, Moment::signal, has_libc(self, false));
  round.signal = &signal;
  go_round(round, are_bare(round));
  self.frame.phase = phase;
  if (info.code > 0) return signo;  // a fault would come again at once
  if (round.choice == SCTRACE_SKIP) return 0;
  if (signal.number == signo || signal.number < 1 || signal.number > 64) return signo;
  self.engaged.replaced = static_cast<uint8_t>(signal.number);
  return signal.number;
}

void tell_program(ThreadState& self) {
  if (engines.count) tell_life(self, SCTRACE_PROGRAM, 0);
}

void tell_birth(ThreadState& self) {
  constexpr uint64_t thread = 0x10000;  // CLONE_THREAD
  if (engines.count)
    tell_life(self, self.child_flags & thread ? SCTRACE_THREAD : SCTRACE_PROCESS, 0);
}

}  // namespace sctrace::preload
