// The function table of a Go program: Go's compiler writes no .eh_frame, its run-time walks stacks
// by a table of its own (rewriter/frames.h), which only the section headers name.
#pragma once
#include "rewriter/object.h"

namespace sctrace::preload {

// The table of the mapped object whose text holds `address`; empty when it is no Go program. Reads
// the object's file. In the constructor only: asks the loader.
rewriter::Bytes go_table_at(uint64_t address);

}  // namespace sctrace::preload
