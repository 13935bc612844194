// Work that uses vector registers, done in the middle of somebody's call (aside.S): the
// rewriter and its decoder are compiled as any code is.
#pragma once
#include <cstdint>

extern "C" {
// Runs work(what) with the app's vector registers saved, on at least 24 KiB of stack. While it runs
// *escape is where a fault of it may be led to, as stack pointer at sctrace_aside_fault; else 0.
// Returns 1 after such a fault, which has left the work at any instruction. Needs has_xsave().
int sctrace_aside(void (*work)(void*), void* what, uint64_t* escape);
extern const char sctrace_aside_fault[];
extern bool sctrace_aside_compact;  // set it where has_xsavec(): some 20 ns less
}

namespace sctrace::arch {

// Is xsave there and enabled, and does its area fit where sctrace_aside() puts it?
inline bool has_xsave() {
  uint32_t a = 1, b, c = 0, d;
  asm("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if (!(c >> 27 & 1)) return false;  // OSXSAVE
  a = 0xd, c = 0;
  asm("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return b <= 16384 - 64;
}

// Where has_xsave(): does it leave out registers that nobody has used?
inline bool has_xsavec() {
  uint32_t a = 0xd, b, c = 1, d;
  asm("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return a >> 1 & 1;
}

}  // namespace sctrace::arch
