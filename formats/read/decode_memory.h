// The app's memory at one call, as far as it was recorded. An execve has a piece for each string
// that it passes, thousands of them, and asks for all: where there are many, they are found by
// address. Of one thread, and only as long as its call stays as it is.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "formats/read/timeline.h"

namespace sctrace::read {

class Memory {
 public:
  explicit Memory(const Call& call) : call_(call) {}
  // How many of `n` bytes at `at` are known, in a row from the first. After the call if `out`, and
  // what the call left alone as it was before.
  uint64_t copy(void* to, uint64_t at, uint64_t n, bool out) const;
  bool whole(void* to, uint64_t at, uint64_t n, bool out) const {
    return copy(to, at, n, out) == n;
  }
  std::string bytes(uint64_t at, uint64_t n, bool out) const;
  // The same up to the first nul, and whether there was one.
  std::string text(uint64_t at, uint64_t n, bool out, bool& ended) const;
  bool has(uint64_t at, bool out) const { return piece_at(at, out) != nullptr; }
  // Shortened on purpose at or behind this address: what is missing could have been read.
  bool shortened(uint64_t at, uint64_t n, bool out) const;

 private:
  // Of the pieces that begin at `from` or before it, the one that reaches furthest.
  struct Reach {
    uint64_t from;
    const Piece* piece;
  };
  const Piece* piece_at(uint64_t at, bool out) const;
  const Piece* furthest(uint64_t at, bool out) const;
  const Piece* furthest_of_many(uint64_t at, bool out) const;
  std::vector<Reach> reaches(bool out) const;

  const Call& call_;
  mutable std::vector<Reach> before_, after_;  // made when first asked for
};

// The string behind an argument: at most 4096 bytes of it.
std::string string_of(const Call& call, int argument, bool out = false);

}  // namespace sctrace::read
