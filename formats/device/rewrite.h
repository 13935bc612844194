// A call written by a controller → numbers and memory. The decoder itself is the grammar: what is
// written is read by changing the call, a leaf at a time, until the decoder shows it as written. So
// all that can be shown can be written, and nothing is done that would not be shown so.
#pragma once
#include <string>
#include <vector>

#include "formats/read/timeline.h"

namespace sctrace::device {

// Its arguments as text, buffers up to `limit` bytes.
std::vector<std::string> shown_arguments(const read::Call& call, uint64_t limit);

// Makes `call` what `name` and `wishes` say. Arguments written as they were reported stay what they
// are, whatever memory they point at. Empty, or what is wrong; then `call` is as it was.
std::string rewrite(read::Call& call, uint64_t limit, const std::string& name,
                    const std::vector<std::string>& wishes);

}  // namespace sctrace::device
