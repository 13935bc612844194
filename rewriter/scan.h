// Looks at every byte of a text for two-byte patterns, 64 at a time: libc's 1.4 MB take a tenth of
// a millisecond. What is found is a candidate only; the decode decides.
#pragma once
#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <span>

namespace sctrace::rewriter::scan {

// Each takes bytes [i] and [i+1] of sixteen neighbours and answers one bit for each. Not functions:
// through a pointer they would be called 180,000 times for libc.
inline constexpr auto syscalls = [](__m128i first, __m128i second) {
  const __m128i match = _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8(0x0f)),
                                      _mm_cmpeq_epi8(second, _mm_set1_epi8(0x05)));
  return static_cast<unsigned>(_mm_movemask_epi8(match));
};

// e8 (call) and e9 (jmp), whose displacement is at [i+1]; 0f 8x (jcc), where it is at [i+2].
inline constexpr auto far_branches = [](__m128i first, __m128i second) {
  const __m128i jump = _mm_cmpeq_epi8(_mm_and_si128(first, _mm_set1_epi8(static_cast<char>(0xfe))),
                                      _mm_set1_epi8(static_cast<char>(0xe8)));
  const __m128i high = _mm_cmpeq_epi8(_mm_and_si128(second, _mm_set1_epi8(static_cast<char>(0xf0))),
                                      _mm_set1_epi8(static_cast<char>(0x80)));
  const __m128i jcc = _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8(0x0f)), high);
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(jump, jcc)));
};

inline __m128i sixteen(const uint8_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

template <typename Match>
uint64_t sixty_four(const uint8_t* at, Match match) {
  const auto bits = [&](unsigned i) -> uint64_t {
    return uint64_t{match(sixteen(at + i), sixteen(at + i + 1))} << i;
  };
  return bits(0) | bits(16) | bits(32) | bits(48);
}

// Calls visit(offset) for each match whose two bytes both lie in `bytes`, in order. In pieces of
// 64: how many a piece holds is a branch that can't be foretold, and in pieces of 16 it took longer
// than all the rest.
template <typename Match, typename Visit>
void each(std::span<const uint8_t> bytes, Match match, Visit visit) {
  size_t at = 0;
  const auto visit_all = [&](uint64_t bits) {
    for (; bits; bits &= bits - 1) visit(at + static_cast<unsigned>(__builtin_ctzll(bits)));
  };
  for (; at + 65 <= bytes.size(); at += 64) visit_all(sixty_four(bytes.data() + at, match));
  if (bytes.size() - at < 2) return;
  uint8_t last[65] = {};
  std::memcpy(last, bytes.data() + at, bytes.size() - at);
  const uint64_t real = (uint64_t{1} << (bytes.size() - at - 1)) - 1;  // the last has no second one
  visit_all(sixty_four(last, match) & real);
}

}  // namespace sctrace::rewriter::scan
