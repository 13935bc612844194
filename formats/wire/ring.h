// The ring of one thread, inside an image file (session.h), and the block: the unit in which a ring
// is filled, drained to the image's data file, and read back after kill -9.
//
//   slot   ┌ RingHeader, 4 KiB ┬ block 0 ┬ block 1 ┬ … ┬ block n-1 ┐      n = ring_bytes /
//   block_bytes
//
//   head runs for ever; head / block_bytes is the block's sequence number, sequence % n its place.
//   stream:     [drained, head) is only here, what was before is in the data file. Closed blocks
//   (head
//               is behind their end) are drained by whoever comes first, the thread or a reader:
//               each writes the block to a place of its own in the data file and moves `drained`
//               over it by compare-and-swap. A reader copies it first, and believes its copy only
//               if `drained` had not moved meanwhile. Who is too late empties the place.
//   discard,    the same by readers alone; where none comes the thread gives up its oldest block
//   block:
//   overwrite:  the newest n blocks are here, each readable from its start; nothing is drained
//   A record never straddles two blocks. The writer stores `head` (release) after the record's
//   bytes; a reader loads it (acquire) and believes nothing behind it.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sctrace::wire {

inline constexpr uint32_t block_magic = 0x4b4c4273;  // "sBLK"

struct BlockHeader {
  uint32_t magic;
  uint32_t slot;      // which ring of the image
  uint64_t sequence;  // block number since the ring began
  uint64_t tsc;       // base of the ticks in this block
  uint64_t lost;      // calls lost on this ring before this block, in all
  uint32_t pid, tid;  // who was writing when the block began
  uint32_t used;      // bytes filled, header included; 0 while the block is being written
  uint32_t calls;     // entries begun in it, without entry_ending; set with `used`
};
static_assert(sizeof(BlockHeader) == 48);

enum class RingState : uint32_t { free = 0, live = 1, done = 2, full = 3 };

// Who writes: the owning thread alone, `state` by compare-and-swap when a thread takes the ring.
struct RingHeader {
  std::atomic<RingState> state;  // free → live → done → live …; done and full rings keep
                                 // their records, full ones are never written again
  std::atomic<uint32_t> pid, tid;
  uint32_t reserved;
  std::atomic<uint64_t> head;     // bytes ever written, published
  std::atomic<uint64_t> drained;  // bytes no longer needed here: always a multiple of block_bytes
  // Counters, exact whatever was filtered, sampled or lost. What common calls count shares the
  // cache line of `head`, which each of them writes anyway.
  std::atomic<uint64_t> calls_stub, calls_trap;  // by door
  std::atomic<uint64_t> filtered;                // not asked for (SCTRACE_TRACE)
  std::atomic<uint64_t> cut;                     // data records shorter than wanted
  std::atomic<uint64_t> untraced;                // seen, but left alone (stated limits)
  std::atomic<uint64_t> lost;                    // asked for, but no room
  std::atomic<uint64_t> signals;
  std::atomic<uint64_t> inexact;  // exact mode: calls whose memory was left to the ordinary way
  // Where calls are judged at their end (SCTRACE_FILTER): what is published before here will not be
  // taken back, what is behind may be, as long as the ring is live. 0: all that is published stays.
  std::atomic<uint64_t> settled;
  std::atomic<uint64_t> rotated;  // what was before is in another trace (record --rotate)
  // Of the whole process, when a thread that had this ring ended it by exit_group: ns of processor
  // time. 0: unknown.
  std::atomic<uint64_t> spent;
  // The last run of blocks that the thread gave up, and counted as lost: [first, behind the last),
  // sequence numbers modulo 2^32 in the low and the high half.
  std::atomic<uint64_t> given_up;
};
static_assert(sizeof(RingHeader) == 128 && offsetof(RingHeader, cut) == 56);
inline constexpr uint32_t ring_header_bytes = 4096;

// What the process was when the image began: behind the header of its first ring, in a page that is
// there anyway. As /proc/self/status and /proc/self/limits said it, zeros behind; cut where there
// is no room. Empty: nobody looked.
struct Beginning {
  char status[2304];
  char limits[1664];
};
static_assert(sizeof(RingHeader) + sizeof(Beginning) == ring_header_bytes);

}  // namespace sctrace::wire
