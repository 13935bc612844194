// Plans of earlier processes, one file an object, in $XDG_CACHE_HOME/sctrace or ~/.cache/sctrace.
// Only the constructor reads and writes them; no descriptor stays open. Whatever is wrong with a
// folder or a file, the object is planned anew, and SCTRACE_LOG=info says why.
//
// Why a kept plan holds. A plan is a proof about the bytes of a whole file: where functions begin,
// which branches there are. It is used only if the file that is mapped is the file that was planned
// (device, inode, size, times of modification and change, build-id, place and size of the text) and
// if our own build-id is the same, so that the same planner would run. The kernel sets the time of
// change at every write, and no call sets it back; the inode is the mapped one's, not just that of
// the path. What could still escape is closed: a second write within the clock's grain, or through
// a shared mapping that is dirty still (files that changed in the last minute are not kept), file
// systems that don't tell of such writes or make times up (only those in plan_cache.cc's list are
// kept), memory that differs from the file (compared before a plan is kept), and, on top, every
// site and window is compared with memory before any is used. Files of others, or that others may
// write, are not trusted.
#pragma once
#include "preload/objects.h"
#include "rewriter/rewrite.h"

namespace sctrace::preload {

// Where to look, after `settings` and the environment; null: nowhere. Valid until close_plan_cache.
const rewriter::PlanStore* open_plan_cache(const Objects& objects);
void close_plan_cache();

}  // namespace sctrace::preload
