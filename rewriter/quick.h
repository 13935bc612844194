// The instructions that compilers emit, decoded ten times faster than a whole decoder can: it is
// what keeps planning libc under a millisecond, and a start from loading one. Says nothing about
// all others, and is compared with Zydis by a test. Each answers as its namesake of insn.h does, or
// not at all.
#pragma once
#include "rewriter/insn.h"

namespace sctrace::rewriter {

std::optional<Insn> quick_decode(std::span<const uint8_t> bytes, uint64_t address);
std::optional<bool> quick_is_movable(std::span<const uint8_t> insn);

// The length of the fill instruction that the bytes begin with; 0: they begin with another one.
std::optional<unsigned> quick_fill(std::span<const uint8_t> bytes);

}  // namespace sctrace::rewriter
