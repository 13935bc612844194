// What the whole process shares: the settings, the image file and the answers that were decided
// once so that the hook need not ask again. Written by the constructor before any door is open,
// read by all afterwards.
#pragma once
#include <cstdint>

#include "formats/wire/session.h"
#include "preload/config.h"
#include "preload/facts.h"
#include "rewriter/rewrite.h"

namespace sctrace::preload {

// The signals that we need for ourselves: SIGBUS 7, SIGSEGV 11, SIGSYS 31. The app blocks and
// ignores them in its own view only.
inline constexpr uint64_t guarded = 1ull << (7 - 1) | 1ull << (11 - 1) | 1ull << (31 - 1);

// What the image says of its rings, kept where nobody else can write.
struct Measures {
  uint64_t ring_bytes, block_bytes, slot_bytes;
  uint32_t slots;
  wire::Mode mode;
  wire::Anchor first;
};

struct Global {
  Config config;
  const char* image_program;  // path of the running program
  const char* const* environment;
  wire::Session* session;
  wire::Image* image;
  Measures measures;
  char directory[1024];  // absolute path of the trace
  char data_path[1100], ring_path[1100];
  uint64_t guest_begin, guest_end;  // our own text, beside the gate
  uint64_t libc_begin, libc_end;    // text of the libc that we were linked with
  uint64_t loader_begin, loader_end;
  const rewriter::Stub* stubs;
  uint32_t stub_count;      // made at start: their index is their place in wire::Image::sites
  bool judging;             // calls are judged at their end (judge.h)
  uint64_t ns_per_tick;     // times 2^32; where calls are judged by their duration
  bool knows_frames;        // of all code that is mapped (texts.h): for stacks
  bool reads_fs;            // without asking the kernel
  bool sud;                 // dispatch is available and asked for
  Facts facts[facts_most];  // by number
};

extern Global global;

}  // namespace sctrace::preload
