// Machine code as bytes: the few instructions that the rewriter emits, and how far each reaches.
// Pure; an instruction that cannot reach its target is refused, never cut.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sctrace::arch::encode {

template <size_t size>
using Code = std::array<uint8_t, size>;

inline constexpr size_t jump_size = 5, short_jump_size = 2, lea_size = 7, absolute_jump_size = 6;

// Appends the distance from the instruction's end to its target, as all near operands are measured.
template <size_t opcode_size>
constexpr std::optional<Code<opcode_size + 4>> relative(const uint8_t (&opcode)[opcode_size],
                                                        uint64_t from, uint64_t to) {
  const int64_t distance = static_cast<int64_t>(to - (from + opcode_size + 4));
  if (distance != static_cast<int32_t>(distance)) return std::nullopt;
  Code<opcode_size + 4> code{};
  for (size_t i = 0; i < opcode_size; ++i) code[i] = opcode[i];
  for (size_t i = 0; i < 4; ++i) code[opcode_size + i] = static_cast<uint8_t>(distance >> 8 * i);
  return code;
}

constexpr auto jump(uint64_t from, uint64_t to) { return relative({0xe9}, from, to); }
constexpr auto lea_rcx(uint64_t from, uint64_t to) {
  return relative({0x48, 0x8d, 0x0d}, from, to);
}
constexpr auto lea_r11(uint64_t from, uint64_t to) {
  return relative({0x4c, 0x8d, 0x1d}, from, to);
}
// jmp *literal(%rip): reaches anything, by way of eight bytes near by.
constexpr auto absolute_jump(uint64_t from, uint64_t literal) {
  return relative({0xff, 0x25}, from, literal);
}

constexpr std::optional<Code<2>> short_jump(uint64_t from, uint64_t to) {
  const int64_t distance = static_cast<int64_t>(to - (from + 2));
  if (distance != static_cast<int8_t>(distance)) return std::nullopt;
  return Code<2>{0xeb, static_cast<uint8_t>(distance)};
}

// One nop a length: what a window has left over, so that a disassembler stays in step.
inline constexpr uint8_t nops[9][9] = {
    {0x90},
    {0x66, 0x90},
    {0x0f, 0x1f, 0x00},
    {0x0f, 0x1f, 0x40, 0x00},
    {0x0f, 0x1f, 0x44, 0x00, 0x00},
    {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
    {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
    {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
    {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
};

inline void fill_with_nops(uint8_t* at, size_t size) {
  for (size_t length; size; at += length, size -= length) {
    length = size < 9 ? size : 9;
    // Volatile: not to become a call of memcpy, since libc may be what is being patched just now.
    for (size_t i = 0; i < length; ++i) static_cast<volatile uint8_t*>(at)[i] = nops[length - 1][i];
  }
}

}  // namespace sctrace::arch::encode
