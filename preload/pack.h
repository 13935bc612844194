// How records are laid down: a header in one store, an entry's arguments, 4 or 8 bytes each,
// without a branch on what they are.
#pragma once
#include "formats/wire/record.h"

namespace sctrace::preload {

// The most that an entry takes: head, site, six wide arguments, number, padding and the zeros that
// are written behind it.
inline constexpr uint64_t entry_most = 96;

struct Packed {
  uint8_t* end;
  uint32_t wide;  // bit i: argument i takes 8 bytes
};

[[gnu::always_inline]] inline Packed pack(uint8_t* at, const uint64_t* args, unsigned arity) {
  uint32_t wide = 0;
#pragma GCC unroll 6
  for (unsigned i = 0; i < 6; ++i) {
    if (i >= arity) break;  // of the number alone: learnt by the predictor, site by site
    const uint64_t value = args[i];
    __builtin_memcpy(at, &value, 8);
    const uint32_t is_wide = value >> 32 != 0;
    at += 4 + 4 * is_wide;
    wide |= is_wide << i;
  }
  const uint64_t zero = 0;
  __builtin_memcpy(at, &zero, 8);
  return {at, wide};
}

// The first 8 bytes of a record, in one store.
[[gnu::always_inline]] inline void put_header(uint8_t* place, uint64_t size, wire::Type type,
                                              uint64_t flags, uint64_t ticks) {
  const uint64_t word = size / 8 | static_cast<uint64_t>(type) << 16 | flags << 24 | ticks << 32;
  __builtin_memcpy(place, &word, 8);
}

}  // namespace sctrace::preload
