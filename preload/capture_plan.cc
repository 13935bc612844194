#include "preload/capture_plan.h"

#include <array>

namespace sctrace::preload {
namespace {

using arch::Arg;
using arch::Kind;
using arch::Measure;
using arch::Way;

// When something is taken of an argument.
constexpr uint8_t flags_of(const Arg& a) {
  uint8_t flags = 0;
  if (a.way == Way::in || a.way == Way::both) flags |= plan_in;
  if (a.way == Way::out || a.way == Way::both) flags |= plan_out;
  // A pointed-to length, a message header and a vector are worth having from before the call too.
  if (a.kind == Kind::mmsghdr) flags |= plan_out;  // how much of each was sent
  if (a.measure == Measure::pointed || a.kind == Kind::iovec || a.kind == Kind::msghdr ||
      a.kind == Kind::mmsghdr)
    flags |= plan_in;
  return flags;
}

constexpr Plan plan_of_row(const arch::Row& row) {
  Plan plan{.arity = row.arity};
  uint8_t variants = 0;
  for (uint8_t i = 0; i < row.arity; ++i) {
    const Arg& a = row.args[i];
    if (a.way == Way::none || plan.ops == 5) continue;
    plan.op[plan.ops++] = op_of(a, i, a.kind == Kind::variant ? variants++ : 0);
    plan.flags |= flags_of(a);
    if (a.kind == Kind::variant) plan.command = a.which;
  }
  for (uint8_t i = 0; i < plan.ops; ++i)
    if (plan.op[i].kind != Kind::variant) plan.command = Plan::none;
  return plan;
}

constexpr auto plans = [] {
  std::array<Plan, arch::number_limit + 1> all{};
  for (uint32_t nr = 0; nr <= arch::number_limit; ++nr) all[nr] = plan_of_row(arch::lookup(nr));
  return all;
}();

// What a command takes: of commands that are made often, as a futex's, most take nothing. Apart
// from the table's rows, so that looking through them touches few lines.
struct CommandFlags {
  uint32_t value = 0;
  uint8_t flags = 0;
};

constexpr auto command_flags = [] {
  std::array<CommandFlags, std::size(arch::fold::commands)> all{};
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].value = static_cast<uint32_t>(arch::fold::commands[i].value);
    for (const Arg& a : arch::fold::commands[i].args) all[i].flags |= flags_of(a);
  }
  return all;
}();

// The variants of each command, cut down likewise: the table's own rows hold pointers, and each
// would be a relocation.
struct Variants {
  uint8_t count = 0;
  Op op[std::size(arch::Command{}.args)] = {};
};

constexpr auto variants = [] {
  std::array<Variants, std::size(arch::fold::commands)> all{};
  for (size_t i = 0; i < all.size(); ++i) {
    const arch::Command& c = arch::fold::commands[i];
    all[i].count = c.count;
    for (uint8_t k = 0; k < c.count; ++k) all[i].op[k] = op_of(c.args[k], 0);
  }
  return all;
}();

// The first row of a command counts, as in arch::command_of. Beyond all rows: not known.
constexpr uint16_t no_row = std::size(arch::fold::commands);
[[gnu::always_inline]] inline uint16_t row_of(uint32_t nr, uint64_t command) {
  const arch::fold::CommandRange range = arch::fold::ranges.of[nr];
  command = arch::command_key(nr, static_cast<uint32_t>(command));
  for (uint16_t i = range.first; i < range.end; ++i)
    if (command_flags[i].value == command) return i;
  return no_row;
}

// Is there more to a struct than so many bytes?
constexpr bool has_links(arch::Layout layout) {
  if (layout == arch::Layout::statmount || layout == arch::Layout::lsm_ctx) return true;
  for (const arch::Link& link : arch::links)
    if (link.from == layout) return true;
  return false;
}

// Is anything taken of it then?
constexpr bool matters(const Op& op, bool out) {
  const bool nested = op.kind == Kind::iovec || op.kind == Kind::msghdr ||
                      op.kind == Kind::mmsghdr || op.kind == Kind::variant;
  if (nested && op.kind != Kind::mmsghdr) return op.way != Way::in || !out;
  return nested || (op.measure == Measure::pointed && op.way != Way::in) || op.way == Way::both ||
         (op.way == Way::out) == out;
}

constexpr bool is_measured_by_register(const Op& op, bool out) {
  return op.measure == Measure::none || op.measure == Measure::argument ||
         (out && op.measure == Measure::result);
}

// `interpreted` where a register is not enough.
constexpr Step step_of(uint32_t nr, const Op& op, bool out) {
  Step step{.shape = Shape::interpreted, .at = op.arg};
  if (op.kind == Kind::path || op.kind == Kind::string) return step.shape = Shape::path, step;
  if (op.head || !is_measured_by_register(op, out) || op.element > 0xffff) return step;
  if (op.measure == Measure::result && may_tell_more(nr)) return step;
  if (op.measure == Measure::argument) step.by = op.which;
  if (op.measure == Measure::result) step.by = Step::by_result;
  step.element = static_cast<uint16_t>(op.element);
  const bool known =
      (op.kind == Kind::structure || op.kind == Kind::array) && !has_links(op.layout);
  if (known) step.shape = Shape::structure;
  if (op.kind == Kind::buffer && op.element == 1) step.shape = Shape::buffer;
  if (op.kind == Kind::iovec) step.shape = Shape::vectors;
  if (op.kind == Kind::msghdr) step.shape = Shape::message;
  if (op.kind == Kind::iovec || op.kind == Kind::msghdr) step.element = op.way == Way::in || out;
  return step;
}

constexpr Steps steps_of(uint32_t nr, const Plan& plan, bool out) {
  Steps steps, none;
  if (nr == arch::nr_setsockopt) return steps;  // a filter is more than its length
  for (uint8_t i = 0; i < plan.ops; ++i) {
    if (!matters(plan.op[i], out)) continue;
    const Step step = step_of(nr, plan.op[i], out);
    if (step.shape == Shape::interpreted || steps.count == Steps::most) return none;
    steps.step[steps.count++] = step;
  }
  return steps;
}

}  // namespace

constexpr AllSteps all_steps = [] {
  AllSteps all{};
  for (uint32_t nr = 0; nr <= arch::number_limit; ++nr)
    all.of[nr] = {steps_of(nr, plans[nr], false), steps_of(nr, plans[nr], true)};
  return all;
}();

namespace {

// The one step, if there is no other and Facts have room for what it says.
constexpr const Step* sole(const Steps& steps, bool out) {
  const Step& step = steps.step[0];
  if (steps.count != 1) return nullptr;
  if (step.shape == Shape::buffer && out == (step.by == Step::by_result)) return &step;
  if (!out && step.shape == Shape::path) return &step;
  return out && step.shape == Shape::structure && step.by == Step::by_nothing ? &step : nullptr;
}

constexpr Shape shape_of(const Steps& steps, bool out) {
  if (const Step* step = sole(steps, out)) return step->shape;
  return steps.count ? Shape::steps : Shape::interpreted;
}

constexpr Facts work_out(uint32_t nr) {
  const uint32_t row = nr < arch::number_limit ? nr : arch::number_limit;
  const Plan& plan = plans[row];
  const auto& [in, out] = all_steps.of[row];
  Facts facts{.head = entry_head(nr, plan.arity),
              .in_flight = {.recording = true},
              .what = 0,
              .in = shape_of(in, false),
              .out = shape_of(out, true),
              .in_at = 0,
              .in_by = 0,
              .out_at = 0,
              .out_bytes = 0};
  if (plan.flags & plan_in) facts.what |= has_in;
  if (plan.flags & plan_out) facts.what |= has_out;
  if (const Step* step = sole(in, false)) {
    facts.in_at = step->at;
    if (step->shape == Shape::buffer) facts.in_by = step->by;
  }
  if (const Step* step = sole(out, true)) facts.out_at = step->at, facts.out_bytes = step->element;
  return facts;
}

// Worked out by the compiler: 30 us of each start otherwise.
constexpr auto all_facts = [] {
  std::array<Facts, facts_most + 1> all{};
  for (uint32_t nr = 0; nr < all.size(); ++nr) all[nr] = work_out(nr);
  return all;
}();

}  // namespace

const Plan& plan_for(uint32_t nr) {
  return plans[nr < arch::number_limit ? nr : arch::number_limit];
}

// What is not known may take anything.
uint8_t flags_of_command(uint32_t nr, uint64_t command) {
  const uint16_t row = row_of(nr, command);
  return row == no_row ? plan_in | plan_out : command_flags[row].flags;
}

const Op* variant_of(uint32_t nr, uint64_t command, uint8_t ordinal) {
  if (nr >= arch::number_limit) return nullptr;
  const uint16_t row = row_of(nr, command);
  return row != no_row && ordinal < variants[row].count ? &variants[row].op[ordinal] : nullptr;
}

Facts facts_of(uint32_t nr) { return all_facts[nr < facts_most ? nr : facts_most]; }

}  // namespace sctrace::preload
