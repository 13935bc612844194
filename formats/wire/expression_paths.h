// What a filter's tests of paths say of a call: they are asked when its memory is at hand, and
// answered later (expression.h). Runs without memory, locks or libc.
#pragma once
#include "formats/wire/expression.h"

namespace sctrace::wire {

// What the tests of paths say of a call, for Known::paths: given each file name among its. A test
// with != or !~ is so where a call names files and none of them is the one.
class Paths {
 public:
  explicit Paths(const Expression& all) : all_(all) {}
  void add(const char* path) {
    any_ = true;
    for (uint32_t i = 0; i < all_.count; ++i) {
      const Test& test = all_.tests[i];
      if (test.op != Op::compare || test.field != Field::path) continue;
      const char* wanted = all_.texts + test.text;
      const bool glob = test.compare == Compare::like || test.compare == Compare::unlike;
      if (glob ? is_like(path, wanted) : is_same(path, wanted)) hit_ |= uint64_t{1} << i;
    }
  }
  uint64_t bits() const {
    uint64_t negated = 0;
    for (uint32_t i = 0; i < all_.count; ++i)
      if (all_.tests[i].compare == Compare::unequal || all_.tests[i].compare == Compare::unlike)
        negated |= uint64_t{1} << i;
    return any_ ? hit_ ^ negated : 0;
  }

 private:
  static bool is_same(const char* a, const char* b) {
    while (*a && *a == *b) ++a, ++b;
    return *a == *b;
  }
  const Expression& all_;
  uint64_t hit_ = 0;
  bool any_ = false;
};

}  // namespace sctrace::wire
