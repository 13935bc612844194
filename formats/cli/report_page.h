// The report page of a trace, written in one go.
#pragma once
#include "formats/output.h"
#include "formats/read/timeline.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

// Reads the trace twice: for the tables, as summary does, and for what is seen over time.
read::Losses write_report(const read::Trace& trace, Output& to);

}  // namespace sctrace::cli
