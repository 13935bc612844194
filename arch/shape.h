// Shapes: a number that tells whether a call or a struct of somebody else's table is just what this
// one has. Code that was written for one of ours (which argument is where, which field is which)
// may be asked about it only then. The texts of words are free.
#pragma once
#include "arch/members.h"

namespace sctrace::arch {

class Shape {  // FNV-1a, 64 bits
 public:
  constexpr Shape& add(uint64_t value) {
    for (int i = 0; i < 4; ++i, value >>= 16) sum_ = (sum_ ^ (value & 0xffff)) * 0x100000001b3;
    return *this;
  }
  constexpr Shape& add(const char* text) {
    for (; text && *text; ++text) sum_ = (sum_ ^ static_cast<uint8_t>(*text)) * 0x100000001b3;
    return *this;
  }
  constexpr Shape& add(const Arg& a) {
    const uint64_t small =
        static_cast<uint64_t>(a.kind) | static_cast<uint64_t>(a.way) << 8 |
        static_cast<uint64_t>(a.measure) << 16 | static_cast<uint64_t>(a.which) << 24 |
        static_cast<uint64_t>(a.set) << 32 | static_cast<uint64_t>(a.layout) << 48;
    const uint64_t rest = a.element | static_cast<uint64_t>(a.given_by) << 32 |
                          static_cast<uint64_t>(a.wide) << 40 | static_cast<uint64_t>(a.head) << 48;
    return add(small).add(rest).add(a.given);
  }
  constexpr Shape& add(const Row& row) {
    add(row.name).add(row.arity | static_cast<uint64_t>(row.result) << 8 |
                      static_cast<uint64_t>(row.whole) << 16);
    for (uint8_t i = 0; row.whole && i < row.arity; ++i) add(row.args[i]);
    return *this;
  }
  constexpr Shape& add(const Command& c) {
    add(c.value).add(c.count);
    for (uint8_t i = 0; i < c.count; ++i) add(c.args[i]);
    return *this;
  }
  constexpr Shape& add(const Member& m) {
    add(m.name);
    add(m.offset | static_cast<uint64_t>(m.bytes) << 16 | static_cast<uint64_t>(m.set) << 32 |
        static_cast<uint64_t>(m.inner) << 48);
    return add(m.count | static_cast<uint64_t>(m.kind) << 16 | static_cast<uint64_t>(m.show) << 24 |
               static_cast<uint64_t>(m.role) << 32 | static_cast<uint64_t>(m.length_at) << 40 |
               static_cast<uint64_t>(m.length_bytes) << 56);
  }
  constexpr uint64_t is() const { return sum_; }

 private:
  uint64_t sum_ = 0xcbf29ce484222325;
};

}  // namespace sctrace::arch
