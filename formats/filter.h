// A filter expression over events (`print --filter`): the grammar and the truths are those of the
// library (wire/expression_parse.h), so that SCTRACE_FILTER and a filter of what was recorded
// agree. One thing more is known here: `path` is also the file behind a descriptor.
#pragma once
#include <string>

#include "formats/event.h"
#include "formats/read/timeline.h"
#include "formats/wire/expression.h"

namespace sctrace {

// Throws std::invalid_argument: which filter, which column, and why.
wire::Expression filter_of(const std::string& text);

// Shall the call be shown? `paths`: the files that it touched. A call that did not end has no
// result and no duration.
bool passes(const wire::Expression& filter, const read::Call& call,
            const std::vector<std::string>& paths);

}  // namespace sctrace
