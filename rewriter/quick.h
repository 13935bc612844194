// The instructions that compilers emit most, decoded ten times faster than a whole decoder can: it
// is what keeps planning libc under a millisecond. Says nothing about all others, and is compared
// with Zydis by a test.
#pragma once
#include "rewriter/insn.h"

namespace sctrace::rewriter {

std::optional<Insn> quick_decode(std::span<const uint8_t> bytes, uint64_t address);

}  // namespace sctrace::rewriter
