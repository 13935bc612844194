// try_load(): words of the app's memory that may not be there, for who reads many and cannot pay a
// call for each. A fault goes on behind the load (signals.cc asks landing_of), with `false`.
#pragma once
#include <cstdint>

namespace sctrace::preload {

// Where to go on after a fault at `pc`; 0: none of these loads is there.
uint64_t landing_of(uint64_t pc);

// Each place notes itself in the section that landing_of() looks through. For functions that are
// not inline: the section must not name code that the linker throws away.
#define SCTRACE_NOTE                               \
  "2:\n"                                           \
  ".pushsection sctrace_loads, \"a\", @progbits\n" \
  ".balign 4\n.long 1b - ., 2b - .\n"              \
  ".popsection"
#define SCTRACE_LANDING "xorl %[bad], %[bad]\n" SCTRACE_NOTE

template <typename T>
[[gnu::always_inline]] inline bool try_load(uint64_t at, T& value) {
  T got;
  uint32_t bad = 1;
  asm volatile("1: mov (%[at]), %[got]\n" SCTRACE_LANDING
               : [got] "=&r"(got), [bad] "+&r"(bad)
               : [at] "r"(at)
               : "cc");
  value = got;
  return !bad;
}

// As sctrace_copy(), in place.
[[gnu::always_inline]] inline uint64_t copy_in(uint8_t* to, uint64_t from, uint64_t n) {
  asm volatile("1: rep movsb\n" SCTRACE_NOTE : "+D"(to), "+S"(from), "+c"(n)::"memory");
  return n;
}

// Two words in a row.
[[gnu::always_inline]] inline bool try_load(uint64_t at, uint64_t& first, uint64_t& second) {
  uint64_t one, other;
  uint32_t bad = 1;
  asm volatile("1: mov (%[at]), %[one]\n mov 8(%[at]), %[other]\n" SCTRACE_LANDING
               : [one] "=&r"(one), [other] "=&r"(other), [bad] "+&r"(bad)
               : [at] "r"(at)
               : "cc");
  first = one, second = other;
  return !bad;
}

}  // namespace sctrace::preload
