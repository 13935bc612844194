#include "rewriter/branches.h"

#include "rewriter/scan.h"

namespace sctrace::rewriter {
namespace {

constexpr uint64_t short_reach =
    130;                         // a short branch spans 128 bytes from its end, and has two itself
constexpr unsigned block = 256;  // bytes of text to one of Marks

// One byte a block of text: is a site that interests us near?
struct Marks {
  std::span<uint8_t> near;

  void add(uint64_t offset) {
    if (offset / block < near.size()) near[offset / block] = 1;
  }
  unsigned has(uint64_t offset) const { return near[offset / block]; }
};

bool is_inside(uint64_t target, uint64_t low, uint64_t high) {
  return target > low && target < high;
}

bool is_open(const Plan& plan) { return plan.site.tactic == Tactic::trap && plan.function.end; }

// The jump tables of one function. Any lea of it might have loaded a table's base, whichever
// register holds it at the jump: all are read as tables, and only what follows them as far as each
// makes sense.
class TableJumps {
 public:
  explicit TableJumps(const Object& object) : object_(object) {}

  // False for an indirect jump that is not through such a table: it could go anywhere.
  bool follow(const TableStep& step, Flow flow, uint64_t low, uint64_t high) {
    using Kind = TableStep::Kind;
    if (step.kind == Kind::base) enters_ = enters_ || table_enters(step.table, low, high);
    if (step.kind == Kind::load) load_ = step;
    if (step.kind == Kind::add) add_ = step;
    if (flow != Flow::indirect) return true;
    jumps_ = true;
    return step.kind == Kind::jump && add_.kind == Kind::add && load_.kind == Kind::load &&
           add_.to == step.from && load_.to == add_.to && load_.from == add_.from;
  }
  bool enter() const { return jumps_ && enters_; }

 private:
  // A table ends where an entry leads out of the text. What comes behind it may look like more
  // entries: so be it.
  bool table_enters(uint64_t table, uint64_t low, uint64_t high) const {
    for (unsigned i = 0; i < 4096; ++i) {
      const auto distance = object_.frames.read<int32_t>(table + 4 * i);
      const uint64_t target = table + static_cast<uint64_t>(int64_t{distance.value_or(0)});
      if (!distance || !object_.text.holds(target, 1)) return false;
      if (is_inside(target, low, high)) return true;
    }
    return true;
  }

  const Object& object_;
  TableStep load_, add_;
  bool jumps_ = false, enters_ = false;
};

}  // namespace

void Branches::collect(std::span<const Plan> plans, Region& memory) {
  const auto text = object_.text.bytes;
  std::span<uint8_t> near = memory.rest<uint8_t>();
  const size_t needed = text.size() / block + 1;
  if (near.size() < needed) return;
  near = near.first(needed);
  std::memset(near.data(), 0, near.size());
  memory.keep<uint8_t>(needed);
  Marks marks{near};
  for (const Plan& plan : plans) {
    if (!is_open(plan)) continue;
    const uint64_t offset = plan.site.address - object_.text.address;
    marks.add(offset < window_max ? 0 : offset - window_max);
    marks.add(offset);
    marks.add(offset + window_max);
  }
  const std::span<uint32_t> room = memory.rest<uint32_t>();
  size_t count = 0;
  complete_ = true;
  scan::each(text, scan::far_branches, [&](size_t at) {
    const size_t displacement_at = at + 1 + (text[at] == 0x0f);
    if (displacement_at + 4 > text.size()) return;
    int32_t displacement;
    std::memcpy(&displacement, text.data() + displacement_at, sizeof displacement);
    const uint64_t target = displacement_at + 4 + static_cast<uint64_t>(int64_t{displacement});
    if (target >= text.size()) return;
    if (count == room.size()) return void(complete_ = false);
    // Written first and counted by its mark: a branch on the mark would often be foretold wrong.
    room[count] = static_cast<uint32_t>(target);
    count += marks.has(target);
  });
  memory.keep<uint32_t>(count);
  targets_ = room.first(count);
}

bool Branches::may_enter(const Function& function, uint64_t low, uint64_t high) const {
  if (!complete_) return true;
  for (const uint32_t target : targets_)
    if (is_inside(object_.text.address + target, low, high)) return true;
  return may_land_inside(function, object_.frames, low, high) ||
         function_enters(function, true, low, high) || neighbours_enter(function, low, high);
}

bool Branches::function_enters(const Function& function, bool own, uint64_t low,
                               uint64_t high) const {
  TableJumps tables(object_);
  Insn last;
  for (uint64_t at = first_insn(function, object_.text); at < function.end;) {
    const auto insn = decode_at(object_.text, at, budget_);
    if (!insn || (own && is_breakpoint(object_.text, function, at, last))) return true;
    last = *insn;
    if (insn->has_target && is_inside(insn->target, low, high)) return true;
    if (own &&
        !tables.follow(table_step(object_.text.part(at, insn->length), at), insn->flow, low, high))
      return true;
    at += insn->length;
  }
  return tables.enter();
}

// Bytes that no function claims: any of them might begin a short branch.
bool Branches::gap_enters(uint64_t begin, uint64_t end, uint64_t low, uint64_t high) const {
  for (uint64_t at = begin; at + 2 <= end; ++at) {
    const auto two = object_.text.part(at, 2);
    if (two.empty()) continue;
    const bool branches = (two[0] & 0xf0) == 0x70 || (two[0] & 0xfc) == 0xe0 || two[0] == 0xeb;
    const uint64_t target = at + 2 + static_cast<uint64_t>(int64_t{static_cast<int8_t>(two[1])});
    if (branches && is_inside(target, low, high)) return true;
  }
  return false;
}

bool Branches::neighbours_enter(const Function& function, uint64_t low, uint64_t high) const {
  const uint64_t end = high + short_reach;
  uint64_t at = low - short_reach;
  unsigned looks = 64;  // honest tables have fewer functions around
  for (uint32_t index = frames_.index_of(at).value_or(0); index < frames_.count(); ++index) {
    if (frames_.begin_of(index) >= end) break;
    if (!looks--) return true;
    const auto other = frames_.function(index);
    if (!other || other->end <= at) continue;
    if (other->begin > at && gap_enters(at, other->begin, low, high)) return true;
    at = other->end;
    if (other->begin == function.begin) {
      if (function.end > at) at = function.end;  // it was lengthened up to its site
      continue;
    }
    if (function_enters(*other, false, low, high)) return true;
  }
  return at < end && gap_enters(at, end, low, high);
}

}  // namespace sctrace::rewriter
