// The newest calls of a trace, as `print --as json` writes them.
#pragma once
#include <map>
#include <string>

#include "formats/read/trace.h"

namespace sctrace::cli {

// {"matched": N, "calls": [...]}, oldest first. Query: trace= (as print's), filter= (as its
// --filter), limit= (100; 10000 at most). Throws std::invalid_argument where that makes no sense.
std::string calls_json(const read::Trace& trace, const std::map<std::string, std::string>& query);

}  // namespace sctrace::cli
