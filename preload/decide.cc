// What the hook has to do for each number, as the settings are now: at start, and when `sctrace
// ctl` has changed them.
#include "preload/call_names.h"
#include "preload/capture_plan.h"
#include "preload/dispatch.h"
#include "preload/engine.h"
#include "preload/exact.h"
#include "preload/files.h"
#include "preload/global.h"
#include "preload/live.h"
#include "preload/own_files.h"
#include "preload/redact.h"
#include "preload/special.h"

namespace sctrace::preload {
namespace {

// What the filter says of all calls of a number, before any is made.
wire::Truth wants(uint32_t nr) {
  const bool known = name_of_call(nr);
  if (!(known ? global.config.traced[nr] : global.config.traced_unknown)) return wire::Truth::no;
  if (!global.config.filter.count) return wire::Truth::yes;  // 20 us of a start, for 512 numbers
  const wire::Known kind{.number_only = true, .nr = nr};
  return wire::evaluate(global.config.filter, kind);
}

Facts facts_now(uint32_t nr) {
  Facts facts = facts_of(nr);
  if (!global.config.capture_in) facts.what &= static_cast<uint8_t>(~has_in);
  if (!global.config.capture_out) facts.what &= static_cast<uint8_t>(~has_out);
  // Where one is judged all are: each then says what of its ring is settled.
  const bool asked = is_recording() && wants(nr) != wire::Truth::no;
  const bool has_stack = global.config.stack != Stacks::off;  // the long way has room for one
  if (asked && global.config.mode == wire::Mode::counts)
    facts.what |= is_wanted;
  else if (asked)
    facts.what |= global.judging ? is_judged : has_stack ? is_asked : is_wanted;
  if (may_redact(nr)) {  // asked in front of each call, by the interpreter
    facts.what |= has_in;
    facts.in = facts.out = Shape::interpreted;
  }
  facts.in_flight.out = facts.what & has_out ? Out::taken : Out::none;
  if (makes_files(nr)) facts.in_flight.after = After::files;
  // What an open is special for comes after it, and so it does for one that is recorded.
  const bool recorded = facts.what & is_wanted && global.config.mode != wire::Mode::counts;
  if (special(nr) && !(recorded && opens_by_name(nr))) facts.what |= is_special;
  const bool takes = facts.what & (has_in | has_out);
  if (global.config.exact && asked && takes && may_be_exact(nr)) facts.what |= is_exact;
  facts.what = as_dispatch_wants(as_engines_want(nr, facts.what));
  return facts;
}

}  // namespace

void decide() {
  // Once they are judged they stay so: what rings say of it holds for all that follows.
  global.judging |= global.config.sample > 1;
  for (uint32_t nr = 0; global.config.filter.count && nr < facts_most; ++nr)
    global.judging |= wants(nr) == wire::Truth::unknown;
  for (uint32_t nr = 0; nr < facts_most; ++nr) decide(nr);
}

void decide(uint32_t nr) {
  Facts facts = facts_now(nr);
  // enter_shut() in hook.cc; still special, for who finds the doors open again by then.
  if (!is_open()) facts.what = (facts.what & is_special) | is_engaged;
  global.facts[nr] = facts;
}

}  // namespace sctrace::preload
