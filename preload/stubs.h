// The first door, opened at start: all that is mapped is rewritten, as far as it can be proved.
#pragma once
#include "preload/objects.h"

namespace sctrace::preload {

// In the constructor, with no handler of the app running. Tells the trace each site and its tactic.
// `shut`: made, but no text is changed (live.h).
void open_stubs(Objects& objects, bool shut);

}  // namespace sctrace::preload
