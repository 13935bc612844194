// How to leave a frame: for a place in code, where its caller's registers are, as .eh_frame says.
// What was once read is kept in a table of one word a place, which threads share without a lock:
// each word says what place it is about. Objects are made known at start and as the loader maps
// them; what is unmapped is forgotten before it goes.
#pragma once
#include <atomic>
#include <cstdint>

#include "rewriter/object.h"

namespace sctrace::preload {

class FrameRule {
 public:
  enum Kind : uint8_t {
    none,       // nobody knows, or it is not one of those below
    by_sp,      // the frame ends at rsp + distance
    by_bp,      // at rbp + distance
    behind_bp,  // where the word at rbp - distance says (gcc's realigned stacks)
    handler,    // the restorer of a signal: the kernel's frame is at rsp
    last,       // nobody called it
    in_rdi,     // the return address is in rdi, nothing is on the stack
  };
  // Where rbp was saved: 0 nowhere, at_bp where rbp points, else so many words below the end.
  static constexpr uint64_t at_bp = 1023;
  static constexpr uint64_t distance_most = (1 << 17) - 1;  // words

  constexpr FrameRule() = default;
  constexpr explicit FrameRule(uint64_t word) : word_(word & mask) {}
  static constexpr FrameRule of(Kind kind, uint64_t words = 0, uint64_t slot = 0) {
    return FrameRule(kind | words << 3 | slot << 20);
  }
  Kind kind() const { return static_cast<Kind>(word_ & 7); }
  uint64_t distance() const { return (word_ >> 3 & distance_most) * 8; }
  uint64_t slot() const { return word_ >> 20; }
  uint64_t word() const { return word_; }

 private:
  static constexpr uint64_t mask = (1 << 30) - 1;
  uint64_t word_ = 0;
};

// A table of 64 KiB: place and rule fit into a word, as addresses have 47 bits.
inline constexpr int rule_bits = 13, place_shift = 30;
extern std::atomic<uint64_t> frame_rules[1 << rule_bits];

FrameRule learn_frame_rule(uint64_t pc);  // from .eh_frame, into the table

// Of the frame that a call in it will come back to at `pc`. For the frame that stands at an
// instruction: one behind that.
inline FrameRule frame_rule(uint64_t pc) {
  const uint64_t high = pc >> rule_bits;
  const uint64_t index = (pc ^ high ^ high >> rule_bits) & ((1 << rule_bits) - 1);
  const uint64_t word = frame_rules[index].load(std::memory_order_relaxed);
  if (word >> place_shift == high) [[likely]]
    return FrameRule(word);
  return learn_frame_rule(pc);
}

// Its text is mapped, its frames can be read; or will not be much longer.
void know_frames(const rewriter::Object& object);
void forget_frames(uint64_t begin, uint64_t end);

}  // namespace sctrace::preload
