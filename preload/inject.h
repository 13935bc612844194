// Fault injection, in strace's grammar (formats/wire/inject.h): one engine of our own, made of
// SCTRACE_INJECT. Calls are counted by thread, as strace counts them.
#pragma once

namespace sctrace::preload {

// Reads the rules, several separated by blanks, and adds the engine. A rule that makes no sense is
// one line, and none of them holds.
void open_injections(const char* text);

}  // namespace sctrace::preload
