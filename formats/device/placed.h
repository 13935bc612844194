// Memory that a controller gives a call: pieces at addresses where no program's memory is, until
// the thread puts them beside its stack and says where (formats/wire/control.h).
#pragma once
#include "formats/read/timeline.h"
#include "formats/wire/control.h"

namespace sctrace::device {

inline constexpr uint64_t placed_begin = 0xf000'0000'0000;  // beyond all of user space

inline bool is_placed(uint64_t address) { return address >> 44 == placed_begin >> 44; }

// The address of a new piece of the call with these bytes.
uint64_t place(read::Call& call, std::string_view bytes);
const read::Piece* placed_at(const read::Call& call, uint64_t address);

// What the call points at of such memory, and what that points at, for its slot. False: there is no
// room.
bool try_put(const read::Call& call, wire::ControlSlot& to);
bool fits(const read::Call& call);
void drop_unused(read::Call& call);  // such memory that nothing of the call points at any more

}  // namespace sctrace::device
