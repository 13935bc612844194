// What info says of a process as it was when its program began.
#pragma once
#include <string>

#include "formats/read/trace.h"

namespace sctrace {

// One JSON object; null where the trace does not tell.
std::string beginning_json(const read::Image& image);
// One line; empty where the trace does not tell.
std::string beginning_text(const read::Image& image);

}  // namespace sctrace
