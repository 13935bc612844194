// Two files of /proc that lead back to the program itself. Its status, whose signal sets would tell
// of our handlers: they are shown as they would be without us. Its mem, by which it can write where
// it may not: text that we have changed gets its own bytes back first, as under mprotect.
//
// A descriptor is marked when it is opened by such a name, and asked for its name again at each
// use, whoever it belongs to by then; while none is marked no call is looked at. Reads by read and
// pread64, writes by write and pwrite64, descriptors below 1024 that were not duplicated.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

bool opens_by_name(uint32_t nr);
bool is_watched(uint32_t nr);            // may it be a use of a marked one?
void mark_own_file(ThreadState& self);   // after an open: marked, or no longer
void own_file_enter(ThreadState& self);  // before such a call
void own_file_leave(ThreadState& self);  // after it

}  // namespace sctrace::preload
