// What a slot of the control page says (formats/wire/control.h), as a call and as a line; and a
// call written by a controller, as numbers and bytes for the slot. What comes out of a slot is as
// trustworthy as the traced program.
#pragma once
#include <string>
#include <vector>

#include "formats/device/command.h"
#include "formats/event.h"
#include "formats/read/timeline.h"
#include "formats/wire/control.h"

namespace sctrace::device {

// An entry and data records → a call. False: they are none.
bool call_in(const uint8_t* records, size_t bytes, read::Call& call);

// Its arguments as text, buffers up to `limit` bytes.
std::vector<std::string> shown_arguments(const read::Call& call, uint64_t limit);
std::string shown_call(const read::Call& call, uint64_t limit);  // write 2, "text", 12
std::string shown_outcome(int64_t result);                       // ok 12, fail EIO
std::string shown_siginfo(uint32_t number, const uint8_t* info, size_t bytes);

// How many bytes lie behind an argument, 0: nobody knows.
uint64_t extent_of(const read::Call& call, uint32_t argument);

// A call to be made instead.
struct Instead {
  uint32_t number = 0;
  uint64_t args[6] = {};
  std::string bytes[6];  // what an argument shall point at, if it is `placed`
  bool placed[6] = {};
};
// Empty, or what is wrong. Arguments written as they were reported stay what they are.
std::string instead_of(const read::Call& call, uint64_t limit, const Command& wish, Instead& made);

}  // namespace sctrace::device
