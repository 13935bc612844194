// What the rewriter needs to know of an instruction: length, where it may go, whether it can run
// elsewhere. Pure: bytes come in by a span, addresses are numbers. VEX and EVEX are not known here,
// nor what only a kernel runs: such bytes are no instruction.
#pragma once
#include <cstdint>
#include <optional>
#include <span>

namespace sctrace::rewriter {

inline constexpr unsigned longest_insn = 15;

enum class Flow : uint8_t {
  next,      // goes on behind itself
  call,      // does so too, if the callee returns
  branch,    // conditional, to target or behind itself
  jump,      // to target only
  indirect,  // jmp through a register or a table: could land anywhere in its function
  stop,      // ret, hlt, ud2, int3, jmp through the GOT: nothing behind it is reached from it
};

struct Insn {
  uint8_t length = 0;
  Flow flow = Flow::next;
  bool has_target = false;  // direct: target is valid
  bool is_syscall = false;  // 0f 05 at its end, whatever the prefixes
  uint8_t rip_at = 0;       // where in it a rip-relative operand's distance is; 0: it has none
  uint64_t target = 0;

  bool falls_through() const { return flow == Flow::next || flow == Flow::branch; }
};

// The instruction at bytes[0], which has the given address. Nothing when no instruction fits the
// bytes.
std::optional<Insn> decode(std::span<const uint8_t> bytes, uint64_t address);
// True for one whole instruction that does the same from another address, once relocate() moved it.
bool is_movable(std::span<const uint8_t> insn);

// Copies a movable instruction from one address to another, keeping what a rip-relative operand
// points at. `to` has room for insn.size() bytes. False when the operand is then out of reach.
bool try_relocate(std::span<const uint8_t> insn, uint64_t from_address, uint8_t* to,
                  uint64_t to_address);

// True when all bytes are fill that nobody runs: int3, or whole nop instructions.
bool is_padding(std::span<const uint8_t> bytes);

// One step of the sequence by which compilers jump through a table of 32-bit distances from its own
// start:
//   lea table(%rip),%base · movslq (%base,%index,4),%to · add %base,%to · jmp *%to
struct TableStep {
  enum class Kind : uint8_t { none, base, load, add, jump } kind = Kind::none;
  uint8_t to = 0, from = 0;  // register numbers
  uint64_t table = 0;        // of base
};
TableStep table_step(std::span<const uint8_t> insn, uint64_t address);

}  // namespace sctrace::rewriter
