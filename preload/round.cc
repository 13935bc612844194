#include "preload/round.h"

#include "preload/special.h"

namespace sctrace::preload {
namespace {

[[gnu::always_inline]] inline bool takes_part(const Round& round, const Engine& engine) {
  if (!engine.on || (!engine.is_bare() && !round.may_use_libc)) return false;
  // The device hears the end of what it stopped, whatever is wished by then.
  const auto wants = [&] {
    return (engine.live && round.self.engaged.stop) ||
           engine.wants_call(static_cast<uint64_t>(round.shown.call.asked));
  };
  switch (round.moment) {
    case Moment::entry: return engine.code->entry && wants();
    case Moment::exit: return engine.code->exit && wants();
    case Moment::signal: return engine.code->signal;
    case Moment::life: return engine.code->life;
  }
  return false;
}

void ask_one(Round& round, Engine& engine) {
  sctrace_call& call = round.shown.call;
  const sctrace_engine& code = *engine.code;
  switch (round.moment) {
    case Moment::entry: round.choice = sane(code.entry(engine.data, &call, round.choice)); return;
    case Moment::exit: return code.exit(engine.data, &call);
    case Moment::signal:
      round.choice = sane(code.signal(engine.data, round.signal, round.choice));
      return;
    case Moment::life: return code.life(engine.data, round.life);
  }
}

void ask_all(void* data) {
  Round& round = *static_cast<Round*>(data);
  while (round.done < engines.count) {
    const uint32_t nth = round.done++;
    round.at = round.moment == Moment::entry ? engines.count - 1 - nth : nth;
    Engine& engine = engines.all[round.at];
    if (!takes_part(round, engine)) continue;
    if (!engine.is_bare()) {  // a fault of a bare one is the program's
      round.before = round.shown;
      round.chosen = round.choice;
      if (round.signal) round.number = round.signal->number;
    }
    uint64_t& word = round.self.engaged.words[round.at];
    round.shown.call.word = word;
    ask_one(round, engine);
    word = round.shown.call.word;
  }
}

}  // namespace

bool are_bare(const Round& round) {
  if (!engines.need_libc) return true;
  bool bare = true;
  for (uint32_t i = 0; i < engines.count; ++i)
    if (takes_part(round, engines.all[i])) bare &= engines.all[i].is_bare();
  return bare;
}

void go_round(Round& round, bool bare) {
  while (!call_out(round.self, ask_all, &round, bare)) {
    switch_off(engines.all[round.at]);
    round.shown = round.before;
    round.choice = round.chosen;
    if (round.signal) round.signal->number = round.number;
  }
}

void go_round_sheltered(Round& round) {
  const auto go = [&](bool bare) {
    // From here on a signal undoes what they were asked.
    if (round.moment == Moment::entry) round.self.engaged.pending = true;
    go_round(round, bare);
  };
  if (are_bare(round)) {
    ShelteredWork work(round.self);
    return go(true);
  }
  SpecialWork work(round.self);
  go(false);
}

bool has_libc(const ThreadState& self, bool by_stub) {
  if (!engines.need_libc || by_stub) return true;
  bool matters = false;
  for (uint32_t i = 0; i < engines.count; ++i)
    matters |= engines.all[i].on && !engines.all[i].is_bare();
  return !matters || fs_leads_to(self);
}

}  // namespace sctrace::preload
