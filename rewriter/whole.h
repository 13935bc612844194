// The decoder that knows every instruction: Zydis. Only here. The guest does without, so that a
// start does not load half a megabyte of tables into each short process: what quick.h leaves open
// is no instruction for it, and a site among such goes by the trap. Tests hold quick.h to this one.
#pragma once
#include "rewriter/insn.h"

namespace sctrace::rewriter {

// As their namesakes of insn.h.
std::optional<Insn> whole_decode(std::span<const uint8_t> bytes, uint64_t address);
bool is_whole_movable(std::span<const uint8_t> insn);
bool is_whole_fill(std::span<const uint8_t> bytes, unsigned& length);  // one instruction, not int3

}  // namespace sctrace::rewriter
