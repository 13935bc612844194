#include "preload/frame_program.h"

#include "arch/x86_64/sigframe.h"

namespace sctrace::preload {
namespace {

// What a program has said so far.
struct Row {
  enum class End : uint8_t { odd, reg, behind, in_context } end = End::odd;  // of the frame
  uint64_t reg = 0;
  int64_t offset = 0;  // behind: from rbp to the word
  enum class Saved : uint8_t { same, below, odd, undefined, at_bp, in_rdi };
  Saved bp = Saved::same, back = Saved::same;
  int64_t bp_offset = 0, back_offset = 0;  // from the end of the frame
};

class Machine {
 public:
  Machine(const Entry& entry, uint64_t pc) : entry_(entry), pc_(pc), at_(entry.begin) {}
  // False: it says what is not understood.
  bool run() {
    if (!run(entry_.common)) return false;
    first_ = row_;
    return done_ || run(entry_.own);
  }
  const Row& row() const { return row_; }

 private:
  bool run(Cursor in);
  bool step(Cursor& in, uint8_t what);
  bool advance(uint64_t by) {
    if (by > (pc_ - at_) / (entry_.code_step ? entry_.code_step : 1)) return done_ = true;
    at_ += by * entry_.code_step;
    return true;
  }
  void save(uint64_t reg, Row::Saved how, int64_t offset = 0) {
    if (reg == reg_rbp) row_.bp = how, row_.bp_offset = offset;
    if (reg == reg_back) row_.back = how, row_.back_offset = offset;
  }
  void restore(uint64_t reg) {
    if (reg == reg_rbp) row_.bp = first_.bp, row_.bp_offset = first_.bp_offset;
    if (reg == reg_back) row_.back = first_.back, row_.back_offset = first_.back_offset;
  }
  void define(uint64_t reg, int64_t offset) {
    row_.end = Row::End::reg, row_.reg = reg, row_.offset = offset;
  }
  void define_by_expression(Cursor& in);
  void save_by_expression(Cursor& in);
  bool push();
  bool pop();
  int64_t scaled(uint64_t n) const {
    return static_cast<int64_t>(n * static_cast<uint64_t>(entry_.data_step));
  }
  int64_t scaled(int64_t n) const { return scaled(static_cast<uint64_t>(n)); }

  const Entry& entry_;
  const uint64_t pc_;
  uint64_t at_;
  bool done_ = false;
  Row row_, first_;
  static constexpr unsigned deepest = 8;
  Row kept_[deepest];
  unsigned depth_ = 0;
};

bool Machine::push() {
  if (depth_ == deepest) return false;
  kept_[depth_++] = row_;
  return true;
}

bool Machine::pop() {
  if (!depth_) return false;
  row_ = kept_[--depth_];
  return true;
}

constexpr uint8_t op_deref = 0x06, op_breg_rbp = 0x76, op_breg_rsp = 0x77;

// The word at rbp + N, or the stack pointer in a signal's context: all that is worth knowing.
void Machine::define_by_expression(Cursor& in) {
  const uint64_t size = in.uleb(), begin = in.at;
  in.skip(size);
  Cursor expression{begin, in.at, in.failed};
  const uint8_t first = expression.take<uint8_t>();
  const int64_t offset = expression.sleb();
  const bool is_word = expression.take<uint8_t>() == op_deref && !expression.failed &&
                       expression.at == expression.limit;
  row_.end = Row::End::odd;
  row_.offset = offset;
  if (is_word && first == op_breg_rbp) row_.end = Row::End::behind;
  if (is_word && first == op_breg_rsp && offset == offsetof(arch::Context, rsp))
    row_.end = Row::End::in_context;
}

// rbp is where rbp points: DW_OP_breg6 0.
void Machine::save_by_expression(Cursor& in) {
  const uint64_t reg = in.uleb(), size = in.uleb(), begin = in.at;
  in.skip(size);
  Cursor expression{begin, in.at, in.failed};
  const bool is_it = reg == reg_rbp && expression.take<uint8_t>() == op_breg_rbp &&
                     expression.sleb() == 0 && !expression.failed &&
                     expression.at == expression.limit;
  save(reg, is_it ? Row::Saved::at_bp : Row::Saved::odd);
}

bool Machine::step(Cursor& in, uint8_t what) {
  const uint8_t low = what & 0x3f;
  switch (what >> 6) {
    case 1: return advance(low);
    case 2: return save(low, Row::Saved::below, scaled(in.uleb())), true;
    case 3: return restore(low), true;
    default: break;
  }
  switch (what) {
    case 0x00: return true;
    case 0x02: return advance(in.take<uint8_t>());
    case 0x03: return advance(in.take<uint16_t>());
    case 0x04: return advance(in.take<uint32_t>());
    case 0x05: {
      const uint64_t reg = in.uleb();
      return save(reg, Row::Saved::below, scaled(in.uleb())), true;
    }
    case 0x06: return restore(in.uleb()), true;
    case 0x07: return save(in.uleb(), Row::Saved::undefined), true;
    case 0x08: return save(in.uleb(), Row::Saved::same), true;
    case 0x09: {
      const uint64_t reg = in.uleb(), other = in.uleb();
      return save(reg, other == reg_rdi ? Row::Saved::in_rdi : Row::Saved::odd), true;
    }
    case 0x0a: return push();
    case 0x0b: return pop();
    case 0x0c: {
      const uint64_t reg = in.uleb();
      return define(reg, static_cast<int64_t>(in.uleb())), true;
    }
    case 0x0d: return define(in.uleb(), row_.offset), true;
    case 0x0e: return row_.offset = static_cast<int64_t>(in.uleb()), true;
    case 0x0f: return define_by_expression(in), true;
    case 0x10: return save_by_expression(in), true;
    case 0x11: {
      const uint64_t reg = in.uleb();
      return save(reg, Row::Saved::below, scaled(in.sleb())), true;
    }
    case 0x12: {
      const uint64_t reg = in.uleb();
      return define(reg, scaled(in.sleb())), true;
    }
    case 0x13: return row_.offset = scaled(in.sleb()), true;
    case 0x14:  // a value, not a place
    case 0x15: {
      const uint64_t reg = in.uleb();
      in.uleb();
      return save(reg, Row::Saved::odd), true;
    }
    case 0x16: {
      const uint64_t reg = in.uleb();
      in.skip(in.uleb());
      return save(reg, Row::Saved::odd), true;
    }
    case 0x2e: return in.uleb(), true;  // bytes of arguments: of no interest here
    default: return false;
  }
}

bool Machine::run(Cursor in) {
  while (in.at < in.limit && !done_) {
    const uint8_t what = in.take<uint8_t>();
    if (in.failed || !step(in, what) || in.failed) return false;
  }
  return true;
}

int64_t minus(int64_t n) { return static_cast<int64_t>(0 - static_cast<uint64_t>(n)); }

FrameRule rule_of(const Row& row) {
  using Saved = Row::Saved;
  if (row.back == Saved::undefined) return FrameRule::of(FrameRule::last);
  if (row.end == Row::End::odd || row.offset % 8) return {};
  const bool by_sp = row.end == Row::End::reg && row.reg == reg_rsp;
  const bool by_bp = row.end == Row::End::reg && row.reg == reg_rbp;
  if (row.back == Saved::in_rdi && by_sp && row.offset == 0)
    return FrameRule::of(FrameRule::in_rdi);
  if (row.back != Saved::below || row.back_offset != -8) return {};
  if (row.end == Row::End::reg && !by_sp && !by_bp) return {};
  const int64_t distance = row.end == Row::End::behind ? minus(row.offset) : row.offset;
  if (distance < 0 || static_cast<uint64_t>(distance) / 8 > FrameRule::distance_most) return {};
  uint64_t slot = 0;
  if (row.bp == Saved::at_bp) {
    slot = FrameRule::at_bp;
  } else if (row.bp == Saved::below) {
    if (row.bp_offset >= 0 || row.bp_offset % 8) return {};
    slot = static_cast<uint64_t>(minus(row.bp_offset)) / 8;
    if (slot >= FrameRule::at_bp) return {};
  } else if (row.bp != Saved::same) {
    return {};
  }
  const auto kind = by_sp ? FrameRule::by_sp : by_bp ? FrameRule::by_bp : FrameRule::behind_bp;
  return FrameRule::of(kind, static_cast<uint64_t>(distance) / 8, slot);
}

}  // namespace

FrameRule read_frame_rule(const FrameTable& table, uint64_t pc) {
  Entry entry;
  if (!find_frame_entry(table, pc, entry)) return {};
  Machine machine(entry, pc);
  if (!machine.run()) return {};
  if (machine.row().end == Row::End::in_context)
    return entry.of_handler ? FrameRule::of(FrameRule::handler) : FrameRule{};
  return rule_of(machine.row());
}

}  // namespace sctrace::preload
