// Function bounds from .eh_frame_hdr's search table and .eh_frame, present in stripped objects too:
// the trusted starts of every decode. A Go program has a table of its own, by which its run-time
// walks stacks (Go's src/runtime/symtab.go, since 1.18). Distrusts all it reads: lying sections
// give no function, never a crash or a hang.
#pragma once
#include "rewriter/object.h"

namespace sctrace::rewriter {

struct Function {
  uint64_t begin = 0, end = 0;
  uint64_t lsda = 0;          // exception table, 0 = none
  bool signal_frame = false;  // the CIE says so: begin may be one byte early (see first_insn)
};

class Frames {
 public:
  explicit Frames(const Object& object);

  uint32_t count() const { return count_; }
  // Where entry `index` of the table begins; entries are sorted if the table is honest.
  uint64_t begin_of(uint32_t index) const;
  // The entry whose function would hold `pc`: the last that begins at or below it.
  std::optional<uint32_t> index_of(uint64_t pc) const;
  // The function of an entry, lying wholly in the text and in no neighbour.
  std::optional<Function> function(uint32_t index) const;

 private:
  void open_go_table();
  std::optional<Function> go_function(uint32_t index) const;
  std::optional<Function> entry(uint32_t index) const;
  bool overlaps(uint32_t index, const Function& function) const;

  const Object* object_;
  uint64_t go_text_ = 0;  // where offsets in a Go table count from
  uint64_t table_ = 0;
  uint32_t count_ = 0;
};

// Where the instructions of a function begin. libc lets the FDE of its signal return begin one byte
// early, inside of fill, since unwinders look up the byte before a return address.
uint64_t first_insn(const Function& function, const Bytes& text);

// Whether an exception may land strictly between two addresses. True as well when the table is not
// understood.
bool may_land_inside(const Function& function, const Bytes& frames, uint64_t low, uint64_t high);

}  // namespace sctrace::rewriter
