// Text → syscall sites. Bytes 0f 05 are a site when a decode from a trusted start arrives there: a
// function of .eh_frame, or what such a function falls through to. Never a linear sweep: data may
// look like anything.
#pragma once
#include "rewriter/frames.h"
#include "rewriter/insn.h"
#include "rewriter/report.h"

namespace sctrace::rewriter {

inline constexpr uint64_t syscall_bytes = 2;
inline constexpr uint64_t jump_bytes = 5;  // jmp rel32
inline constexpr unsigned moved_max = 5;   // that many instructions surely hold a jump
inline constexpr unsigned window_max = 4 + longest_insn;

// A site, and what is found out about it: sites.cc fills the first half, plan.cc the second.
struct Plan {
  Site site;
  Function function;
  uint8_t before[moved_max] =
      {};  // lengths of the instructions in front, nearest first; 0 = no more known

  uint64_t window = 0;       // what the jump replaces; pad: where its jmp rel32 goes
  uint8_t window_bytes = 0;  // whole instructions, at least jump_bytes. pad: 5
};

// Decoding costs time that a hostile object could waste: each object has so many instructions.
struct Budget {
  uint32_t left = 1u << 20;  // libc needs 25 thousand; 75 ns each
};

// Decodes at an address inside text, on the budget.
std::optional<Insn> decode_at(const Bytes& text, uint64_t address, Budget& budget);

// Does a debugger's int3 stand there, behind `last` (an Insn{} where the function begins)? Then
// nobody knows what was there before, nor where the next instruction begins. No compiler lets code
// run into an int3; those that nothing runs into, up to the function's end, are fill.
bool is_breakpoint(const Bytes& text, const Function& function, uint64_t address, const Insn& last);

// All sites of the text in address order, refused ones too (their refusal says why, tactic is
// trap); the array is kept in `memory`. Counts candidates, not_on_boundary and forgotten.
std::span<Plan> find_sites(const Object& object, const Frames& frames, Region& memory,
                           Budget& budget, Report& report);

}  // namespace sctrace::rewriter
