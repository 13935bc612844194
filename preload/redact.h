// SCTRACE_REDACT: of some calls the data is left out of the record, its length kept. What is
// dropped is what SCTRACE_STRSIZE cuts (data buffers) and the strings of argv and envp; structs,
// addresses and file names stay. Where the kernel may not be asked what a descriptor is, nothing is
// kept.
#pragma once
#include <cstdint>

namespace sctrace::preload {

struct ThreadState;

struct Redaction {
  bool any = false;
  bool sockets = false;     // %network: whatever call moves a socket's data, too
  uint8_t calls[512] = {};  // by number
  uint32_t fds = 0;         // of fd[]
  int32_t fd[32] = {};      // descriptors
  char paths[1024] = "";    // patterns, each ended by a nul; an empty one ends them
};

// SET, fd=N and path=GLOB, separated by commas. False: not understood.
bool parse_redaction(const char* text, Redaction& to);

// Is anything of this number's memory ever dropped? Then is_redacted() is asked at each entry.
bool may_redact(uint32_t nr);
// Of the call in flight; asks the kernel what its descriptors are, where a setting wants to know.
bool is_redacted(ThreadState& self);

}  // namespace sctrace::preload
