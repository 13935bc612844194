// Which files are mapped where, for who has not seen them come and go (live.h).
#pragma once
#include "preload/objects.h"
#include "preload/thread.h"

namespace sctrace::preload {

// While doors are shut nobody sees what is mapped and unmapped. Called when they are about to be,
// or at start; the next says which of the texts that we know are still those: the others are
// forgotten, and what is new gets stubs. With the text locked.
void remember_texts();
void look_at_texts(ThreadState& self);

// For stacks (frame_rules.h): how to leave the frames of all code that is mapped. At start of what
// the loader said; later, also where stacks were not asked for at start, of what is mapped now.
// Then with the text locked, and nobody walks stacks meanwhile.
void know_all_frames(const Objects& objects);
void know_all_frames();
void remember_vdso(const Objects& objects);  // it has no file

}  // namespace sctrace::preload
