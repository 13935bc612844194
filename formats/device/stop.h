// What a slot of the control page says (formats/wire/control.h), as a call and as words. What comes
// out of a slot is as trustworthy as the traced program. A call written by a controller: rewrite.h.
#pragma once
#include <string>
#include <vector>

#include "formats/device/command.h"
#include "formats/read/timeline.h"
#include "formats/wire/control.h"

namespace sctrace::device {

// An entry and data records → a call. False: they are none.
bool call_in(const uint8_t* records, size_t bytes, read::Call& call);

std::string shown_call(const read::Call& call, uint64_t limit);  // write 2, "text", 12
std::string shown_outcome(int64_t result);                       // ok 12, fail EIO
std::string shown_siginfo(uint32_t number, std::string_view info);

// How many bytes lie behind an argument, 0: nobody knows.
uint64_t extent_of(const read::Call& call, uint32_t argument);

// A call that a controller gives by number and bytes. Empty, or what is wrong; then `call` is as it
// was.
std::string make(read::Call& call, const Command& wish);

}  // namespace sctrace::device
