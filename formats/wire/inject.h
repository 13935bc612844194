// The grammar of injections, strace's and a little more, as the library reads it at start and the
// command before it starts a program:
//   SET[:error=E|:retval=N][:signal=S][:syscall=NAME][:delay_enter=T][:delay_exit=T]
//      [:poke_enter=@argN=HEX,…][:poke_exit=…][:when=F[..L][+[S]]]
//      [:prob=P][:path=GLOB][:fd=N][:seed=N]
// "fault=SET…" fails with ENOSYS where it says no error. No allocation, no libc.
#pragma once
#include <cstdint>

namespace sctrace::wire {

struct Poke {
  uint8_t argument;  // 1..6; 0: none
  uint16_t bytes;
  uint8_t data[48];
};

struct Injection {
  static constexpr uint32_t pokes_most = 3;
  uint8_t calls[64];  // a bit a number, below 512
  bool unknown_calls;
  bool answers;  // the call is not made, `result` is what it gives
  int64_t result;
  int32_t signal;                    // 0: none
  uint64_t delay_enter, delay_exit;  // ns
  Poke enter[pokes_most], exit[pokes_most];
  uint32_t first, last, step;  // of its calls, from 1; step 0: the first alone
  uint32_t chance;             // of 1'000'000
  uint64_t seed;               // 0: another in each run
  int32_t fd;                  // -1: any
  char path[128];              // empty: any
  bool holds(uint32_t nr) const { return nr < 512 ? calls[nr / 8] >> nr % 8 & 1 : unknown_calls; }
};

// What words mean, as whoever parses knows it.
struct InjectionWords {
  // The calls of a set in the grammar of trace=; false: no such calls.
  bool (*set)(const char* text, uint8_t* calls, bool& unknown);
  int (*error)(const char* name);   // 0: no such name
  int (*signal)(const char* name);  // without SIG; 0: no such name
};

// Null, or what was expected; then `bad` is the word that was there.
const char* parse_injection(const char* text, const InjectionWords& words, Injection& made,
                            char* bad, uint64_t bad_bytes);

}  // namespace sctrace::wire
