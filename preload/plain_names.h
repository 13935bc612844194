// Names of files that lead where they say, with no symbolic link on the way. What was opened by
// another name only the kernel can tell; by one of these, the name tells it. Found out once for a
// name, by asking, and forgotten with all others when a call of the program could make it untrue.
// (A link that another process puts in its place is not noticed.)
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// A name as open and openat take it.
struct Name {
  char text[4096];
  uint64_t size;  // 0: there is none to go by
  uint64_t key;   // 0: it is not one to remember
};

// False where its own text says that it leads nowhere else, or it is remembered: then `name` is
// not all there.
bool is_to_be_asked(const ThreadState& self, Name& name);
// The kernel said where it leads. True: to what it says; that is remembered.
bool try_remember(const Name& name, const char* path, uint64_t path_bytes);

bool moves_names(uint32_t nr);
void forget_names(const arch::Frame& call);  // after it

}  // namespace sctrace::preload
