// What is behind descriptors, as only the kernel knows it: told once for all that a program finds
// open, and afterwards for those that calls make or name without saying enough (sockets, pipes,
// devices, files behind links). Everything else a reader follows by the calls themselves.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

void tell_files_at_start(ThreadState& self);  // without /proc: nothing
bool makes_files(uint32_t nr);                // does tell_files() have something to say of it?
void tell_files(ThreadState& self);           // after such a call, before its exit is written

// What a descriptor's link says: how many bytes of `path`, which has room for `most`, or an error.
long link_of(int32_t fd, char* path, uint64_t most);

}  // namespace sctrace::preload
