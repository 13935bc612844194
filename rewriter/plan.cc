#include "rewriter/plan.h"

#include "rewriter/branches.h"

namespace sctrace::rewriter {
namespace {

constexpr uint64_t back_reach =
    126;  // rel8 counts from behind the two bytes of the short jmp: -128 …
constexpr uint64_t forward_reach = 129;  // … to 127

constexpr uint32_t neighbours_max = 32;  // functions looked at; a lying table could name any number

class Planner {
 public:
  Planner(const Object& object, const Frames& frames, std::span<Plan> plans, Region& memory,
          Budget& budget)
      : object_(object),
        frames_(frames),
        plans_(plans),
        memory_(memory),
        budget_(budget),
        branches_(object, frames, budget) {}

  void run() {
    try_all(&Planner::mov, Tactic::mov);
    try_all(&Planner::pad, Tactic::pad);
    if (!is_any_open()) return;
    branches_.collect(plans_, memory_);
    try_all(&Planner::before, Tactic::before);
    try_all(&Planner::after, Tactic::after);
  }

 private:
  struct Window {
    uint64_t begin = 0;
    uint64_t bytes = 0;
    Refusal refusal = Refusal::none;
  };
  using Try = Window (Planner::*)(const Plan&);

  // A site that is no site keeps its refusal; of the others the last tactic's remains.
  static bool is_open(const Plan& plan) {
    switch (plan.site.refusal) {
      case Refusal::not_on_boundary:
      case Refusal::no_function:
      case Refusal::undecodable:
      case Refusal::prefixed:
      case Refusal::too_much: return false;
      default: return plan.site.tactic == Tactic::trap;
    }
  }
  bool is_any_open() const {
    for (const Plan& plan : plans_)
      if (is_open(plan)) return true;
    return false;
  }

  void try_all(Try attempt, Tactic tactic) {
    for (Plan& plan : plans_) {
      if (!is_open(plan)) continue;
      const Window window = (this->*attempt)(plan);
      plan.site.refusal = window.refusal;
      if (window.refusal != Refusal::none) continue;
      plan.site.tactic = tactic;
      plan.window = window.begin;
      plan.window_bytes = static_cast<uint8_t>(window.bytes);
    }
  }

  bool is_taken(const Plan& by, uint64_t begin, uint64_t end) const {
    // A window is within window_max of its site, one in padding within a short jmp: look no
    // farther.
    constexpr uint64_t far = forward_reach + jump_bytes;
    // Another site's own bytes are taken too: .eh_frame may lie, and two decodes disagree.
    const auto hits = [&](const Plan& other) {
      if (other.site.address < end && begin < other.site.address + syscall_bytes) return true;
      return other.site.tactic != Tactic::trap && other.window < end &&
             begin < other.window + other.window_bytes;
    };
    for (const Plan* p = &by; p-- != plans_.data() && p->site.address + 2 * far > begin;)
      if (hits(*p)) return true;
    for (const Plan* p = &by;
         ++p != plans_.data() + plans_.size() && p->site.address < end + 2 * far;)
      if (hits(*p)) return true;
    return false;
  }

  Window mov(const Plan& plan);
  Window pad(const Plan& plan);
  Window before(const Plan& plan);
  Window after(const Plan& plan);
  Window around(const Plan& plan, uint64_t begin);
  std::optional<uint64_t> slot_behind(uint32_t index, const Plan& plan);
  bool ends_dead(const Function& function);

  const Object& object_;
  const Frames& frames_;
  std::span<Plan> plans_;
  Region& memory_;
  Budget& budget_;
  Branches branches_;
};

// Five bytes that set eax and nothing else: the one form of mov $nr,%eax that a jump replaces
// exactly.
Planner::Window Planner::mov(const Plan& plan) {
  if (plan.before[0] != jump_bytes) return {.refusal = Refusal::unmovable};
  const uint64_t begin = plan.site.address - jump_bytes;
  if (object_.text.part(begin, jump_bytes)[0] != 0xb8) return {.refusal = Refusal::unmovable};
  if (is_taken(plan, begin, plan.site.address)) return {.refusal = Refusal::overlap};
  return {begin, jump_bytes};
}

// What the function ends with never falls into the fill behind it.
bool Planner::ends_dead(const Function& function) {
  Insn last;
  uint64_t at = first_insn(function, object_.text);
  while (at < function.end) {
    const auto insn = decode_at(object_.text, at, budget_);
    if (!insn) return false;
    last = *insn;
    at += insn->length;
  }
  return at == function.end && !last.falls_through() && last.flow != Flow::call;
}

// Room for a jump in the fill between one function and the next, within a short jmp of the site.
std::optional<uint64_t> Planner::slot_behind(uint32_t index, const Plan& plan) {
  if (index + 1 >= frames_.count()) return std::nullopt;
  const auto function = frames_.function(index);
  if (!function) return std::nullopt;
  const uint64_t begin = function->end, end = frames_.begin_of(index + 1), site = plan.site.address;
  if (end <= begin || end - begin < jump_bytes || end - begin > 256) return std::nullopt;
  uint64_t slot = begin + back_reach > site ? begin : site - back_reach;
  for (; slot + jump_bytes <= end && slot <= site + forward_reach; ++slot) {
    if (is_taken(plan, slot, slot + jump_bytes)) continue;
    const auto fill = object_.text.part(begin, end - begin);
    if (fill.empty() || !is_padding(fill) || !ends_dead(*function)) return std::nullopt;
    return slot;
  }
  return std::nullopt;
}

Planner::Window Planner::pad(const Plan& plan) {
  const auto own = frames_.index_of(plan.site.address);
  const uint64_t low = plan.site.address - back_reach, high = plan.site.address + forward_reach;
  uint32_t looks = neighbours_max;
  for (uint32_t i = *own; i + 1 < frames_.count() && looks && frames_.begin_of(i) < high;
       ++i, --looks)
    if (const auto slot = slot_behind(i, plan)) return {*slot, jump_bytes};
  for (uint32_t i = *own; i > 0 && looks && frames_.begin_of(i) > low; --i, --looks)
    if (const auto slot = slot_behind(i - 1, plan)) return {*slot, jump_bytes};
  return {.refusal = Refusal::no_padding};
}

// As many whole instructions in front of the syscall as hold a jump. A branch may arrive at the
// first of them.
Planner::Window Planner::before(const Plan& plan) {
  const uint64_t site = plan.site.address;
  uint64_t begin = site;
  unsigned count = 0;
  for (; site - begin < jump_bytes; ++count) {
    const uint8_t length = count < moved_max ? plan.before[count] : 0;
    if (!length) return {.refusal = Refusal::function_end};
    begin -= length;
    if (!is_movable(object_.text.part(begin, length))) return {.refusal = Refusal::unmovable};
  }
  if (is_taken(plan, begin, site)) return {.refusal = Refusal::overlap};
  if (count > 1 && branches_.may_enter(plan.function, begin, site))
    return {.refusal = Refusal::branch_into_window};
  return {begin, site - begin};
}

// The syscall itself, whole instructions behind it and, where these cannot be moved, in front of it
// too. A branch may arrive at the first of them only.
Planner::Window Planner::after(const Plan& plan) {
  uint64_t begin = plan.site.address;
  const Window best = around(plan, begin);
  if (best.refusal == Refusal::none) return best;
  for (unsigned i = 0; i < moved_max && plan.before[i] && plan.site.address - begin < jump_bytes;
       ++i) {
    begin -= plan.before[i];
    if (!is_movable(object_.text.part(begin, plan.before[i]))) break;
    const Window window = around(plan, begin);
    if (window.refusal == Refusal::none) return window;
  }
  return best;
}

// A window that holds the syscall and goes on until it has room for a jump.
Planner::Window Planner::around(const Plan& plan, uint64_t begin) {
  uint64_t end = plan.site.address + syscall_bytes;
  while (end - begin < jump_bytes) {
    if (end >= plan.function.end) return {.refusal = Refusal::function_end};
    const auto insn = decode_at(object_.text, end, budget_);
    if (!insn) return {.refusal = budget_.left ? Refusal::undecodable : Refusal::too_much};
    if (end + insn->length > plan.function.end) return {.refusal = Refusal::function_end};
    if (!is_movable(object_.text.part(end, insn->length))) return {.refusal = Refusal::unmovable};
    end += insn->length;
  }
  if (is_taken(plan, begin, end)) return {.refusal = Refusal::overlap};
  if (branches_.may_enter(plan.function, begin, end))
    return {.refusal = Refusal::branch_into_window};
  return {begin, end - begin};
}

}  // namespace

void plan_sites(const Object& object, const Frames& frames, std::span<Plan> plans, Region& memory,
                Budget& budget) {
  const size_t used = memory.used;
  Planner(object, frames, plans, memory, budget).run();
  memory.used = used;
}

std::span<Plan> plan_object(const Object& object, Region& memory, Report& report) {
  Budget budget;
  const uint32_t all = budget.left;
  const Frames frames(object);
  const auto plans = find_sites(object, frames, memory, budget, report);
  plan_sites(object, frames, plans, memory, budget);
  report.decoded += all - budget.left;
  return plans;
}

}  // namespace sctrace::rewriter
