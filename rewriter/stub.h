// Plan → stub: the code that a site's jump leads to, as bytes for any place within ±2 GiB. Keeps
// the flags and all registers but rcx and r11, which the kernel would destroy too. The contract
// with the trampoline:
//
//   begin       [the instructions moved from in front of the syscall, mov $nr,%eax among them]
//   entry_jump  lea tail(%rip),%r11
//               jmp trampoline                  (jmp *literal(%rip) when it is farther than 2 GiB)
//   tail - 6    .long index                     data: the stub's index
//   tail - 2    syscall                         "slow" entry: runs untraced, or is trapped by SUD
//   tail        lea site+2(%rip),%rcx           what the kernel leaves in rcx
//               [the instructions moved from behind the syscall]
//               jmp resume
//   end         (the literal, if any, lies behind it; then int3 up to the next stub)
#pragma once
#include "rewriter/sites.h"

namespace sctrace::rewriter {

inline constexpr unsigned stub_align = 16;
inline constexpr unsigned stub_max =
    80;  // moved 19, near part 30, long jump 1, literal 8 and its alignment

// What the trampoline's callers read in a stub's code, from its tail alone.
inline uint32_t index_at_tail(uint64_t tail) {
  return *reinterpret_cast<const uint32_t*>(tail - syscall_bytes - sizeof(uint32_t));
}
inline uint64_t behind_at_tail(uint64_t tail) {  // site + 2: where the lea at the tail leads
  return tail + 7 + static_cast<uint64_t>(*reinterpret_cast<const int32_t*>(tail + 3));
}

// An instruction that runs in the stub now: offsets from window and from begin.
struct Move {
  uint8_t from, to;
};

struct alignas(64) Stub {
  uint64_t site = 0;  // the syscall instruction
  uint64_t begin = 0;
  uint64_t entry_jump = 0;
  uint64_t tail = 0;
  uint64_t end = 0;     // behind the jmp
  uint64_t resume = 0;  // site + 2, or behind the window
  uint64_t window = 0;  // as in Plan
  Tactic tactic = Tactic::trap;
  uint8_t window_bytes = 0;
  uint8_t move_count = 0;
  bool patched = false;  // the site's jump is in place
  uint8_t size = 0;      // from begin to the next stub: a multiple of stub_align
  int32_t number = -1;   // of the call, when mov $nr,%eax was moved
  Move moves[moved_max] = {};
  uint8_t original[window_max + 2] = {};  // of the window; for pad the site's two bytes follow
};

// Writes the stub for `address` (a multiple of stub_align) to `code` (stub_max bytes) and describes
// it in `stub`.
[[nodiscard]] Refusal build_stub(const Plan& plan, const Bytes& text, uint64_t address,
                                 uint64_t trampoline, uint32_t index, uint8_t* code, Stub& stub);

// Where in the app a thread is whose program counter lies in the stub (or in its pad): the site
// before the call, the byte behind it afterwards, or the very instruction that was moved.
uint64_t original_pc(const Stub& stub, uint64_t pc);

// Does an instruction end right before `pc` that was moved there? Not so the last behind the call:
// what follows it jumps to where it would have ended.
bool ends_a_move(const Stub& stub, uint64_t pc);

// The reverse, for going back: where to run what lay at an original address. The site, whose call
// is then traced again, and what was moved: in the stub. Everything else stays.
uint64_t patched_pc(const Stub& stub, uint64_t pc);

}  // namespace sctrace::rewriter
