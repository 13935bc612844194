// Looks at every byte of a text for two-byte patterns, 16 at a time: libc's 1.4 MB take a tenth of
// a millisecond. What is found is a candidate only; the decode decides.
#pragma once
#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <span>

namespace sctrace::rewriter::scan {

// Each takes bytes [i] and [i+1] of sixteen neighbours and answers one bit for each.
inline unsigned syscalls(__m128i first, __m128i second) {
  const __m128i match = _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8(0x0f)),
                                      _mm_cmpeq_epi8(second, _mm_set1_epi8(0x05)));
  return static_cast<unsigned>(_mm_movemask_epi8(match));
}

// e8 (call) and e9 (jmp), whose displacement is at [i+1]; 0f 8x (jcc), where it is at [i+2].
inline unsigned far_branches(__m128i first, __m128i second) {
  const __m128i jump = _mm_cmpeq_epi8(_mm_and_si128(first, _mm_set1_epi8(static_cast<char>(0xfe))),
                                      _mm_set1_epi8(static_cast<char>(0xe8)));
  const __m128i high = _mm_cmpeq_epi8(_mm_and_si128(second, _mm_set1_epi8(static_cast<char>(0xf0))),
                                      _mm_set1_epi8(static_cast<char>(0x80)));
  const __m128i jcc = _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8(0x0f)), high);
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(jump, jcc)));
}

inline __m128i sixteen(const uint8_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

// Calls visit(offset) for each match whose two bytes both lie in `bytes`, in order.
template <typename Match, typename Visit>
void each(std::span<const uint8_t> bytes, Match match, Visit visit) {
  size_t at = 0;
  const auto visit_all = [&](unsigned bits) {
    for (; bits; bits &= bits - 1) visit(at + static_cast<unsigned>(__builtin_ctz(bits)));
  };
  for (; at + 17 <= bytes.size(); at += 16)
    visit_all(match(sixteen(bytes.data() + at), sixteen(bytes.data() + at + 1)));
  if (bytes.size() - at < 2) return;
  uint8_t last[17] = {};
  std::memcpy(last, bytes.data() + at, bytes.size() - at);
  const unsigned real = (1u << (bytes.size() - at - 1)) - 1;  // the last byte has no second one
  visit_all(match(sixteen(last), sixteen(last + 1)) & real);
}

}  // namespace sctrace::rewriter::scan
