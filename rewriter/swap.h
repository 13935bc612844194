// Doors opened and shut for whole texts at once, under threads that we know nothing of: they may
// block every signal, so no fault of theirs may be needed (apply.h needs one). A text is moved to
// another address, which leaves the file's own pages at the old one, and is patched there; then it
// is moved back over them. Who runs it meanwhile waits, as for any page that is brought in, and
// never sees half a jump; /proc/self/maps shows the same mapping as before. Needs Linux 5.13
// (MREMAP_DONTUNMAP of files).
#pragma once
#include "rewriter/banks.h"

namespace sctrace::rewriter {

struct Swapped {
  uint32_t open = 0, shut = 0;  // sites with a jump in place; those of known stubs without one
  uint32_t texts_left = 0;      // that the kernel did not let us move
};

// Puts in place the jumps of all stubs whose text is as it was, where no thread can be inside of
// what is replaced. What is in place already stays.
Swapped open_doors();

// The file's own bytes again, in all texts. Where others have changed pages too, theirs are kept.
// False: some text could not be given back this way; undo() can.
bool shut_doors();

}  // namespace sctrace::rewriter
