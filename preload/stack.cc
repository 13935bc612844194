#include "preload/stack.h"

#include "arch/x86_64/sigframe.h"
#include "preload/frame_rules.h"
#include "preload/global.h"
#include "preload/load.h"
#include "preload/pack.h"

namespace sctrace::preload {
namespace {

// No frame is larger: what lies farther away is no frame, and may be anything.
constexpr uint64_t frame_most = 8 << 20, chain_most = 1 << 20;

struct Walk {
  uint64_t* to;
  uint64_t most;
  uint64_t count = 0, hash = 0;
  uint8_t flags = 0;

  bool is_full() const { return count == most; }
  void add(uint64_t address) {
    to[count++] = address;
    hash = (hash << 5 | hash >> 59) + address;
  }
};

// Where a frame pointer may point that belongs to a stack of which `low` is part.
bool is_above(uint64_t at, uint64_t low, uint64_t most) { return at - low < most && !(at & 7); }

bool is_code(uint64_t address) { return address - 4096 < uint64_t{1} << 47; }

void by_frame_pointers(Walk& walk, uint64_t low, uint64_t frame) {
  walk.flags = wire::stack_guessed;
  while (frame) {
    uint64_t next, back;
    if (!is_above(frame, low, chain_most) || !try_load(frame, next, back) || !is_code(back)) {
      walk.flags |= wire::stack_broken;
      return;
    }
    if (walk.is_full()) {
      walk.flags |= wire::stack_cut;
      return;
    }
    walk.add(back);
    low = frame + 16;
    frame = next;
  }
}

// Of one frame: what its caller finds in rsp and rbp, and where it goes on.
struct Registers {
  uint64_t pc, sp, bp;
};

// The handler's caller is the restorer, and the kernel's frame lies at its stack pointer.
bool leave_handler(Registers& at) {
  using arch::Context;
  const uint64_t context = at.sp;
  return try_load(context + offsetof(Context, rip), at.pc) &&
         try_load(context + offsetof(Context, rbp), at.bp) &&
         try_load(context + offsetof(Context, rsp), at.sp);
}

bool leave_by_pointer(Registers& at) {
  const uint64_t frame = at.bp;
  if (!is_above(frame, at.sp, chain_most) || !try_load(frame, at.bp, at.pc)) return false;
  at.sp = frame + 16;
  return is_code(at.pc);
}

bool leave_by_rule(Registers& at, const FrameRule& rule) {
  uint64_t top = (rule.kind() == FrameRule::by_sp ? at.sp : at.bp) + rule.distance();
  if (rule.kind() == FrameRule::behind_bp && !try_load(at.bp - rule.distance(), top)) return false;
  if (!is_above(top, at.sp + 8, frame_most) || !try_load(top - 8, at.pc)) return false;
  if (const uint64_t slot = rule.slot()) {
    const uint64_t saved = slot == FrameRule::at_bp ? at.bp : top - slot * 8;
    if (!try_load(saved, at.bp)) return false;
  }
  at.sp = top;
  return true;
}

// Of the site's own function nothing is known. libc's clone and clone3 have no rule there, since it
// would be none for the child; like most that make a call themselves they have nothing on the
// stack. Believed where what lies there is a place that is known.
bool leave_site(Registers& at) {
  uint64_t back;
  if (!try_load(at.sp, back) || !is_code(back) || frame_rule(back).kind() == FrameRule::none)
    return false;
  at.pc = back;
  at.sp += 8;
  return true;
}

// exact: 1, not where a call comes back to, but the very instruction.
void by_rules(Walk& walk, const Place& from, uint64_t exact, bool or_pointers) {
  Registers at{from.pc, from.sp, from.bp};
  for (;;) {
    const FrameRule rule = frame_rule(at.pc + exact);
    exact = 0;
    bool known = false;
    switch (rule.kind()) {
      case FrameRule::by_sp:
      case FrameRule::by_bp:
      case FrameRule::behind_bp: known = leave_by_rule(at, rule); break;
      case FrameRule::last: return;
      case FrameRule::handler: known = leave_handler(at), exact = 1; break;
      case FrameRule::in_rdi:  // vfork keeps it there, for its child writes over the stack
        known = walk.count == 1;
        at.pc = from.di;
        break;
      case FrameRule::none:
        known = walk.count == 1 && leave_site(at);
        if (!known && or_pointers && !at.bp) return;
        if (!known) known = or_pointers && leave_by_pointer(at);
        walk.flags |= known ? wire::stack_guessed : 0;
        break;
    }
    if (known && !at.pc) return;
    if (!known || !is_code(at.pc)) {
      walk.flags |= wire::stack_broken;
      return;
    }
    if (walk.is_full()) {
      walk.flags |= wire::stack_cut;
      return;
    }
    walk.add(at.pc);
  }
}

bool are_same(const uint64_t* a, const uint64_t* b, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i)
    if (a[i] != b[i]) return false;
  return true;
}

// `record`, made at the cursor, or a word that means one that this block has already. What is
// remembered may be of another block, or of records that were taken back: the ring itself has the
// last word, so nothing need be forgotten.
void publish(ThreadState& self, uint64_t* record, uint64_t words, uint64_t hash) {
  RingWriter& out = self.out;
  const uint64_t inside = out.cursor & (global.measures.block_bytes - 1);
  const uint8_t* block = out.place() - inside;
  uint32_t& remembered = self.stacks.place[hash * 0x9e3779b97f4a7c15u >> 58];
  static_assert(sizeof self.stacks.place / sizeof remembered == 64);
  const uint64_t head = record[0] | uint64_t{remembered} << 32;
  const auto* before = reinterpret_cast<const uint64_t*>(block + remembered);
  if (remembered >= sizeof(wire::BlockHeader) && remembered + words * 8 <= inside &&
      before[0] == head && are_same(before + 1, record + 1, words - 1)) {
    put_header(out.place(), sizeof(wire::Stack), wire::Type::stack, wire::stack_again, remembered);
    out.cursor += sizeof(wire::Stack);
    return;
  }
  record[0] |= inside << 32;
  remembered = static_cast<uint32_t>(inside);
  out.cursor += words * 8;
}

}  // namespace

namespace {

void put_walk(ThreadState& self, const Place& from, uint64_t exact) {
  const Config& config = global.config;
  const uint64_t most = config.stack_depth;
  uint8_t* place = room(self, self.out, sizeof(wire::Stack) + most * 8);
  if (!place) return;
  auto* record = reinterpret_cast<uint64_t*>(place);
  Walk walk{.to = record + 1, .most = most};
  walk.add(from.pc);
  if (config.stack == Stacks::fp)
    by_frame_pointers(walk, from.sp, from.bp);
  else
    by_rules(walk, from, exact, config.stack == Stacks::automatic);
  const uint64_t words = 1 + walk.count;
  put_header(place, words * 8, wire::Type::stack, walk.flags, 0);
  publish(self, record, words, walk.hash + walk.flags);
}

}  // namespace

void put_stack(ThreadState& self) {
  const arch::Frame& site = self.frame;
  put_walk(self, {site.behind, site.rsp, site.rbp, site.args[0]}, 0);
}

void put_stack(ThreadState& self, const Place& interrupted) { put_walk(self, interrupted, 1); }

}  // namespace sctrace::preload
