// What a leaf of a shown argument may stand for: as numbers, or as bytes in memory. Several answers
// where the word alone does not say; which of them is right, rewrite.h finds out.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sctrace::device {

struct Meanings {
  std::vector<uint64_t> numbers;
  std::vector<std::string> bytes;  // addresses, sets, names: as they lie in memory
  std::string text;                // of a quoted one
  bool quoted = false;
  bool shortened = false;  // "abc"...
  bool exact = false;      // it is a number: a place that holds it is right, however it is shown
};

Meanings meanings_of(std::string_view leaf);

}  // namespace sctrace::device
