// Executable memory for stubs within reach of near jumps from somebody's text. Written while it is
// read-write, then sealed read-execute: never both. Asks the kernel only through arch::raw_syscall;
// reads no /proc.
#pragma once
#include <cstdint>

namespace sctrace::rewriter {

struct Arena {
  uint64_t begin = 0;
  uint64_t size = 0;  // 0: the kernel gave nothing

  bool reaches(uint64_t low, uint64_t high) const;
};

// Writable memory such that a near jump reaches from any place of it to all of [low, high), and
// back. Where the kernel likes, else below: above an object lie the heap's or the stack's room to
// grow.
Arena map_near(uint64_t low, uint64_t high, uint64_t size);

// Keeps the first `used` bytes, makes them executable and gives them a name in /proc/self/maps.
[[nodiscard]] bool try_seal(Arena& arena, uint64_t used);

void unmap(Arena& arena);

}  // namespace sctrace::rewriter
