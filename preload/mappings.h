// Text that comes and goes while the program runs: dlopen, dlclose, and what the app does to its
// own mappings. What the loader maps is patched when it closes the file: all of the object is there
// then, and nobody has run any of it. What is unmapped, replaced, moved, discarded or made writable
// gets its own bytes back in time, and is forgotten.
//
// One thread at a time works on text. It cannot be interrupted by a handler of the app
// (SpecialWork), so who finds the lock taken need not wait long; a loaded object is then left to
// the trap instead.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

bool is_alone();  // no other thread in this process

// For who works on all texts (live.cc). False: another does, and does not end.
bool try_lock_text(int tries);
void unlock_text();
// Makes stubs for text of a file that is mapped executable and that nobody has looked at, without
// changing it.
void know_text(ThreadState& self, uint64_t begin, uint64_t bytes, uint64_t offset,
               const char* path);

// The same for how to leave its frames alone (frame_rules.h).
void know_frames_of(uint64_t begin, uint64_t bytes, uint64_t offset, const char* path);

// Before mmap, munmap, mremap, mprotect, pkey_mprotect and madvise, and after them.
void mapping_enter(ThreadState& self, uint32_t nr);
void mapping_leave(ThreadState& self);

// The same around what the app writes to text by /proc/self/mem.
void writing_text(ThreadState& self, uint64_t begin, uint64_t bytes);
void wrote_text(const ThreadState& self, uint64_t begin, uint64_t bytes, bool done);

void closing_file(ThreadState& self);  // before close
void text_after_fork();                // in the child: whoever worked on text is not here

}  // namespace sctrace::preload
