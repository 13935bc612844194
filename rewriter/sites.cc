#include "rewriter/sites.h"

#include <algorithm>

#include "rewriter/scan.h"

namespace sctrace::rewriter {
namespace {

// A decode through one function, stopping at each candidate in turn.
class Walk {
 public:
  Walk(const Object& object, const Frames& frames, Budget& budget)
      : object_(object), frames_(frames), budget_(budget) {}

  // Goes on to `candidate` (they come in ascending order) and says what it is.
  Refusal arrive(uint64_t candidate) {
    const auto index = frames_.index_of(candidate);
    if (!index) return Refusal::no_function;
    if (index_ != index) begin(*index);
    while (state_ == Refusal::none && at_ < candidate) step();
    if (at_ == candidate && state_ == Refusal::none)
      return is_reached() ? Refusal::none : Refusal::no_function;
    if (at_ <= candidate) return state_;
    return last_.is_syscall && at_ == candidate + syscall_bytes ? Refusal::prefixed
                                                                : Refusal::not_on_boundary;
  }

  Plan plan(uint64_t candidate, Refusal refusal) const {
    Plan plan{.site = {candidate, Tactic::trap, refusal}, .function = function_};
    if (refusal != Refusal::none) return plan;
    if (plan.function.end < candidate + syscall_bytes)
      plan.function.end = candidate + syscall_bytes;
    for (unsigned i = 0; i < moved_max; ++i)
      plan.before[i] = static_cast<uint8_t>(history_ >> 8 * i);
    return plan;
  }

 private:
  void begin(uint32_t index) {
    index_ = index;
    const auto found = frames_.function(index);
    function_ = found.value_or(Function{});
    state_ = found ? Refusal::none : Refusal::no_function;
    at_ = found ? first_insn(function_, object_.text) : 0;
    history_ = 0;
    last_ = {};
  }

  // Behind the function's end only what it falls into is code: libc's clone ends its FDE right at
  // the syscall.
  bool is_reached() const { return at_ < function_.end || last_.falls_through(); }

  void step() {
    if (!is_reached()) return void(state_ = Refusal::no_function);
    if (is_breakpoint(object_.text, function_, at_, last_))
      return void(state_ = Refusal::undecodable);
    const auto insn = decode_at(object_.text, at_, budget_);
    if (!insn) return void(state_ = budget_.left ? Refusal::undecodable : Refusal::too_much);
    last_ = *insn;
    at_ += insn->length;
    history_ = history_ << 8 | insn->length;
  }

  const Object& object_;
  const Frames& frames_;
  Budget& budget_;
  std::optional<uint32_t> index_;
  Function function_;
  Refusal state_ = Refusal::no_function;
  uint64_t at_ = 0;
  uint64_t history_ = 0;  // lengths, one a byte, the nearest lowest
  Insn last_;
};

// Offsets into the text, ascending; kept in memory.
std::span<uint32_t> candidates_of(const Object& object, Region& memory, Report& report) {
  const std::span<uint32_t> room = memory.rest<uint32_t>();
  size_t count = 0;
  const auto add = [&](size_t offset) {
    ++report.candidates;
    // Not all of the room: each candidate needs a Plan as well.
    if (count < room.size() / 32)
      room[count++] = static_cast<uint32_t>(offset);
    else
      ++report.forgotten;
  };
  const auto text = object.text.bytes.first(
      object.text.bytes.size() < 0x7fffffff ? object.text.bytes.size() : 0x7fffffff);
  if (object.confirmed.empty()) scan::each(text, scan::syscalls, add);
  for (const uint64_t address : object.confirmed) {
    const auto two = object.text.part(address, syscall_bytes);
    if (!two.empty() && two[0] == 0x0f && two[1] == 0x05) add(address - object.text.address);
  }
  memory.keep<uint32_t>(count);
  return room.first(count);
}

}  // namespace

std::optional<Insn> decode_at(const Bytes& text, uint64_t address, Budget& budget) {
  if (!budget.left) return std::nullopt;
  --budget.left;
  return decode(text.from(address), address);
}

bool is_breakpoint(const Bytes& text, const Function& function, uint64_t address,
                   const Insn& last) {
  constexpr uint8_t int3 = 0xcc;
  const auto rest = text.from(address);
  if (address >= function.end || rest.empty() || rest[0] != int3) return false;
  if (last.falls_through() || last.flow == Flow::call) return true;
  const auto fill = text.part(address, function.end - address);
  return !std::all_of(fill.begin(), fill.end(), [](uint8_t byte) { return byte == int3; });
}

std::span<Plan> find_sites(const Object& object, const Frames& frames, Region& memory,
                           Budget& budget, Report& report) {
  const auto candidates = candidates_of(object, memory, report);
  const std::span<Plan> room = memory.rest<Plan>();
  size_t count = 0;
  Walk walk(object, frames, budget);
  for (const uint32_t offset : candidates) {
    const uint64_t address = object.text.address + offset;
    const Refusal refusal = walk.arrive(address);
    if (refusal == Refusal::not_on_boundary)
      ++report.not_on_boundary;
    else if (count < room.size())
      room[count++] = walk.plan(address, refusal);
    else
      ++report.forgotten;
  }
  memory.keep<Plan>(count);
  return room.first(count);
}

}  // namespace sctrace::rewriter
