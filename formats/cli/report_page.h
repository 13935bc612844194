// The report page of a trace, written in one go.
#pragma once
#include <string>

#include "formats/output.h"
#include "formats/read/timeline.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

// Reads the trace twice: for the tables, as summary does, and for what is seen over time.
// `stamp`: of one that is served, by which it sees that the trace has grown; empty: a file, which
// asks nobody.
read::Losses write_report(const read::Trace& trace, Output& to, const std::string& stamp = {});

}  // namespace sctrace::cli
