// Facts: what the hook has to do for a number, worked out once at start from the table and the
// settings, so that no call walks a plan: 16 bytes, one load away. Who needs more than they say
// goes the long way (enter_with_care in hook.cc, the interpreter in capture.cc).
#pragma once
#include <cstdint>

#include "formats/wire/record.h"

namespace sctrace::preload {

// What leave() has still to do for a call, once the kernel answered.
enum class After : uint8_t {
  nothing,
  signal_mask,
  signals_pending,
  signal_wait,
  masked_wait,
  sigreturn,
  sandbox,
  clone,
  exec,
  rseq,
  mapping,
  files,
  traced,
  parted,
  own_file,
  barrier,
};

// Bits of Facts::what. A call that engines look at is never `is_wanted`, so that the short way has
// no test more; is_asked says then whether it is recorded, as it does of one whose stack is kept.
// Nor is one that is_judged: each such call is asked for (judge.h).
inline constexpr uint8_t is_wanted = 1, has_in = 2, has_out = 4, is_special = 8, is_exact = 16,
                         is_engaged = 32, is_asked = 64, is_judged = 128;

// The shapes that most calls have; what is taken is known from one or two arguments.
enum class Shape : uint8_t {
  interpreted,
  buffer,     // in: argument `by` measures it; out: the result does
  path,       // in
  structure,  // out: `bytes` of it
  steps,      // several of these, or one that Facts have no room for (Steps, capture_plan.h)
  vectors,    // of steps alone: iovecs, and a message header
  message,
};

// The memory that a call fills: none is wanted · the app's, as it is then · our copies (exact.h).
enum class Out : uint8_t { none, taken, exact };

// What leave() has to know of the call that is being made; compared as one word.
inline constexpr uint8_t judged = 2;  // and its end says whether it stays
struct alignas(4) InFlight {
  uint8_t recording : 2 = 0;  // its entry was written: 1, or `judged`
  bool engaged : 1 = false;   // engines want to see its end
  bool counting : 1 = false;  // it is counted in place of recorded (counting.h)
  uint8_t : 4;
  Out out = Out::none;  // what memory there is to take after it
  uint8_t how = 0;      // wire::exit_* for its exit
  After after = After::nothing;
};
constexpr uint32_t as_word(InFlight call) { return __builtin_bit_cast(uint32_t, call); }

struct alignas(16) Facts {
  uint32_t head;       // of an entry behind its header: the number, and how many arguments
  InFlight in_flight;  // once its entry is written
  uint8_t what;
  Shape in, out;
  uint8_t in_at, in_by;  // arguments: address and length
  uint8_t out_at;
  uint16_t out_bytes;
  unsigned arity() const { return head >> (16 + wire::argc_shift); }
};
static_assert(sizeof(Facts) == 16);

inline constexpr uint32_t facts_most = 512;  // numbers that have facts; others are interpreted

constexpr uint32_t entry_head(uint32_t nr, unsigned arity) {
  return nr | arity << (16 + wire::argc_shift);
}

}  // namespace sctrace::preload
