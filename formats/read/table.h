// The table that events are decoded by: the one a trace brought along (its file `metadata`), else
// the one that this build was made with. Nothing else in formats may look into arch's own arrays:
// a reader without them must say the same (tests/metadata). Sets and layouts that our code knows
// keep the numbers that it knows them by; those of others get numbers behind.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arch/members.h"
#include "arch/requests.h"
#include "arch/table.h"

namespace sctrace::read {

struct Table {
  struct Range {
    uint32_t first = 0, end = 0;
  };
  struct Name {
    uint32_t number = 0;
    const char* text = nullptr;
  };

  std::string text;                   // what every name below points into
  std::shared_ptr<const Table> base;  // or into that of this one
  std::vector<arch::Row> rows = std::vector<arch::Row>(arch::number_limit);
  std::vector<char> coded = std::vector<char>(arch::number_limit);
  std::vector<arch::Command> commands;
  std::vector<Range> commands_of = std::vector<Range>(arch::number_limit);
  std::vector<arch::fold::Word> words;
  std::vector<Range> sets;  // by number: the head, then its words
  std::vector<arch::Member> members;
  std::vector<Range> layouts;
  std::vector<uint32_t> layout_bytes;
  std::vector<arch::Request> requests;  // by number
  std::vector<Name> ioctls;             // by number
};

// The table of now; the built-in one until something else is used.
const Table& table();
// Whichever trace is being read; nothing: the built-in one. Kept alive as long as it is in use.
void use(std::shared_ptr<const Table> table);
std::shared_ptr<const Table> built_in();

const arch::Row& lookup(uint32_t nr);
// Whether the row of this call is just ours, so that code which knows its arguments may be used.
bool is_coded(uint32_t nr);
const arch::Command* command_of(uint32_t nr, uint64_t command);
const arch::Request* request_of(uint32_t number);
std::string ioctl_names(uint32_t number);  // "A or B"; empty: none

template <class T>
struct Part {
  const T *first = nullptr, *last = nullptr;
  const T* begin() const { return first; }
  const T* end() const { return last; }
  bool empty() const { return first == last; }
};
Part<arch::fold::Word> words_of(arch::Set set);  // the head first; never empty
Part<arch::Member> members_of(arch::Layout layout);
uint32_t bytes_of(arch::Layout layout);  // 1: it is told elsewhere how many

}  // namespace sctrace::read
