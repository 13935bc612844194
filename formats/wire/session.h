// A trace is a directory (0700):
//   session         Session: shared by all processes of the trace, 4 KiB
//   PID-N.ring      Image, then `slots` rings (ring.h): one file for each program image (each exec)
//   PID-N.data      the blocks that were drained from it, each at a multiple of block_bytes
//   (sparse)
// N counts up from 0 until the name is free. A program's fork children share its image; exec begins
// a new one.
#pragma once
#include <atomic>
#include <cstdint>
#include "formats/wire/record.h"

namespace sctrace::wire {

inline constexpr char session_name[] = "session";
inline constexpr uint64_t session_magic = 0x31'53'53'45'43'41'52'54;  // "TRACESS1" in memory
inline constexpr uint64_t image_magic = 0x31'45'4d'49'43'41'52'54;    // "TRACIME1" in memory
inline constexpr uint32_t byte_order = 0x01020304;

struct Session {
  uint64_t magic;
  uint32_t version, order;
  uint64_t max_bytes;                     // SCTRACE_MAX_SIZE, 0 = none
  std::atomic<uint64_t> bytes;            // of ring and data files so far
  std::atomic<uint32_t> images;           // image files made
  std::atomic<uint32_t> stopped;          // 1: max_bytes reached, nothing more is recorded
  std::atomic<uint64_t> unseen_programs;  // found no room for an image, or came after the stop
  char host[64], kernel[64];              // uname: nodename, release
  std::atomic<uint64_t>
      reader;  // tsc when one that takes blocks from the rings last looked, 0: none
  // The process that `ctl off` was last for, 0: none. What it and its children execute begins so.
  std::atomic<uint32_t> off;
};
static_assert(sizeof(Session) == 48 + 128 + 16);
inline constexpr uint32_t session_bytes = 4096;

// One reading of all clocks, taken together.
struct Anchor {
  uint64_t tsc;
  uint64_t monotonic;  // ns, CLOCK_MONOTONIC
  uint64_t realtime;   // ns since 1970, CLOCK_REALTIME
};

// stream: the thread hands its blocks to the data file where no reader does · overwrite: nobody
// does, the newest stay · discard: readers alone do, and what they don't take in time is lost ·
// block: the same, but the thread waits for a reader that there is · counts: no records, and
// counters in their place (counters.h)
enum class Mode : uint32_t { stream = 0, overwrite = 1, discard = 2, block = 3, counts = 4 };
// A reader that did not look for so many ticks (some seconds) is none.
inline constexpr uint64_t reader_ticks = uint64_t{1} << 33;

// A syscall instruction of the program and what became of it.
struct Site {
  uint64_t address;
  uint8_t tactic;   // rewriter::Tactic
  uint8_t refusal;  // rewriter::Refusal, when tactic is trap
  uint16_t object;  // index in the objects text
  uint32_t reserved;
};
static_assert(sizeof(Site) == 16);

inline constexpr uint32_t site_max = 3072;  // fits Entry::site
inline constexpr uint32_t objects_bytes = 8192;
inline constexpr uint32_t command_bytes = 2048;

// Which build of a file an object was, and how far from its base it reaches. All zero: nobody
// looked. Longer ids are cut.
inline constexpr uint32_t object_ids = 232, build_id_bytes = 20;
struct ObjectId {
  uint8_t build_id[build_id_bytes];
  uint32_t pages;  // of 4096 bytes
};

struct Image {
  uint64_t magic;
  uint32_t version, order;
  uint32_t header_bytes;  // where ring 0 begins
  uint32_t slots;         // rings in this file, made or not (the file is sparse)
  uint64_t slot_bytes;    // ring_header_bytes + ring_bytes
  uint64_t ring_bytes, block_bytes;
  Mode mode;
  uint32_t pid, ppid;  // of the process that began the image
  std::atomic<uint32_t>
      unseen_threads;               // for which there was no ring: their calls are not in the trace
  Anchor first;                     // when the image began
  Anchor last[2];                   // newest, written alternately; tsc 0 = never
  std::atomic<uint32_t> last_turn;  // which of the two is whole
  std::atomic<uint32_t> slots_done;   // of them, given back and to be had again
  std::atomic<uint32_t> slots_used;   // rings ever taken: [0, slots_used)
  std::atomic<uint64_t> data_blocks;  // places handed out in the data file
  uint32_t sud;         // 1: Syscall User Dispatch armed; else errno of the refusal, 0 = not asked
  uint32_t site_count;  // entries of sites[] that are true
  uint64_t sites_refused;  // sites that did not fit the table
  uint32_t capture_flags,
      strsize;        // settings: bit 0 in, 1 out, 2 exact; bytes kept a buffer (~0 = all)
  char program[256];  // path of the executable; behind its nul, if there is room, what it was
                      // executed as
  char command[command_bytes];  // argv, each ended by a nul
  char objects[objects_bytes];  // "base path\n" a mapped object, hexadecimal base
  Site sites[site_max];
  ObjectId ids[object_ids];  // of the object in that line of `objects`
  uint64_t live;  // where wire::Live (live.h) lies in the memory of the program; 0: nowhere
  uint64_t environment;  // where its own lay when it began, and of how many variables; 0: unknown
  uint32_t variables, reserved;
};
inline constexpr uint32_t image_header_bytes = 65536;
static_assert(sizeof(Image) <= image_header_bytes);

}  // namespace sctrace::wire
