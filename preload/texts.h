// Which files are mapped where, for who has not seen them come and go (live.h).
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// While doors are shut nobody sees what is mapped and unmapped. Called when they are about to be,
// or at start; the next says which of the texts that we know are still those: the others are
// forgotten, and what is new gets stubs. With the text locked.
void remember_texts();
void look_at_texts(ThreadState& self);

}  // namespace sctrace::preload
