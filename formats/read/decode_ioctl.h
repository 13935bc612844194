// ioctl: the name of a request, and what its argument is by requests.def.
#pragma once
#include "formats/read/decode.h"

namespace sctrace::read {

// ioctl_names.cc
Value ioctl_request(uint32_t request);
bool has_length(uint32_t request);  // its number carries the length of a buffer
void adapt_ioctl(const Scene& s, Event& event);

}  // namespace sctrace::read
