// Many strands of bytes written side by side, each read again as one piece: for formats that want
// whole columns or whole processors after each other. What does not fit 32 MiB lies in a nameless
// file beside the output.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "formats/output.h"

namespace sctrace {

class Spool {
 public:
  // A file that is its own, in the folder of the output; in the one for temporary files if that
  // goes to a pipe.
  explicit Spool(const Output& beside);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  size_t strand();  // a new one: its number
  void append(size_t strand, std::string_view bytes);
  uint64_t size(size_t strand) const { return strands_[strand].bytes; }
  void copy(size_t strand, Output& to);

 private:
  struct Piece {
    uint64_t at = 0, bytes = 0;
  };
  struct Strand {
    std::string newest;
    uint64_t bytes = 0;
    std::vector<Piece> pieces;  // in the file, before `newest`
  };
  void flush(Strand& strand);

  std::string place_;
  int fd_ = -1;
  uint64_t end_ = 0;
  size_t buffered_ = 0;
  std::deque<Strand> strands_;
};

}  // namespace sctrace
