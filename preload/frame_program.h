// One rule out of .eh_frame: the little programs of an FDE and its CIE (DWARF 5, 6.4.2), run up to
// a place. Believes nothing: lying sections, and sections that are unmapped meanwhile, give no
// rule, never a crash or a hang.
#pragma once
#include "preload/frame_entry.h"
#include "preload/frame_rules.h"

namespace sctrace::preload {

FrameRule read_frame_rule(const FrameTable& table, uint64_t pc);

}  // namespace sctrace::preload
