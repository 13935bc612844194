// Characters that stand for themselves between quotes, in strace's notation as in JSON: printable
// ASCII but for the quote and the backslash. Told of eight at once, since most text is made of
// them.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sctrace {

constexpr size_t plain_step = 8;  // so much room it takes in any case

// Copies eight characters, or the `left` that there are; of them so many, from the first, are
// plain. What is behind these in `to` is to be written over.
inline size_t copy_plain(char* to, const char* from, size_t left) {
  static_assert(std::endian::native == std::endian::little);  // the first is the lowest
  constexpr uint64_t each = 0x0101'0101'0101'0101, high = 0x80 * each;
  uint64_t eight = 0;  // and a nul is not plain
  if (left >= plain_step)
    std::memcpy(&eight, from, sizeof eight);
  else
    std::memcpy(&eight, from, left);
  std::memcpy(to, &eight, sizeof eight);
  // Seven bits and a number: the eighth bit says what came of it, and no byte meets its neighbour.
  const uint64_t low = eight & ~high;
  const auto differs = [low](char c) {
    return (low ^ static_cast<uint8_t>(c) * each) + 0x7f * each;
  };
  const uint64_t printable = (low + 0x60 * each) & ~(low + each);
  const uint64_t others = (eight | ~(printable & differs('"') & differs('\\'))) & high;
  return others ? static_cast<size_t>(std::countr_zero(others)) / 8 : plain_step;
}

}  // namespace sctrace
