// How callers are called where a line, a row or a box has room for one name each.
#pragma once
#include <string>

#include "formats/event.h"

namespace sctrace {

// The symbol; without one `libz.so.1+0x1234`; of code that no file has, the address.
std::string name_of(const Frame& frame);
// All of them, outermost first, `;` in between; empty if none is known.
std::string callers_of(const Stack& stack);

}  // namespace sctrace
