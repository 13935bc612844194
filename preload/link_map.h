// The loader's own list of what is loaded. Used instead of calls by name: a name may lead to
// another library's or a sanitizer's stand-in, which is not ready before its own constructor ran.
#pragma once
#include <link.h>

#include <cstdint>

namespace sctrace::preload {

// The loader's word for debuggers, the list in it, found through the vector that the kernel put
// behind the environment, which must be as it came; or null.
const r_debug* loader_state(const char* const* environment);

// Where libc itself has that name, or 0.
uint64_t in_libc(const link_map* list, const char* name);

// Runs libc's own initialisers, which set what it knows of the program.
void initialise_libc(const link_map* list, int argc, char** argv, char** envp);

// Where that object has that name, or 0.
uint64_t symbol_in(const link_map& object, const char* name);

// Puts our library at the end of the list, where dlopen would have put it: programs that look who
// comes first (AddressSanitizer refuses to run behind anybody) see who would.
void go_last(link_map* list);

}  // namespace sctrace::preload
