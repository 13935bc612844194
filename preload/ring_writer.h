// Writes one thread's records into its ring: room() for bytes, publish() to show them. Between the
// two a signal may throw everything away; nothing is seen by a reader before publish(). What finds
// no room is counted. The rare part, changing blocks and draining, is in ring_writer.cc.
#pragma once
#include <cstdint>

#include "arch/x86_64/clock.h"
#include "formats/wire/record.h"
#include "formats/wire/ring.h"

namespace sctrace::preload {

struct ThreadState;

inline void count(std::atomic<uint64_t>& counter) {  // one writer: no locked instruction
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

struct RingWriter {
  uint64_t cursor;           // where the next record goes; positions run for ever
  uint64_t limit;            // up to here without asking: end of the block, or of what is populated
  uint64_t origin;           // address of position 0, if the whole ring lay as its current block
  uint64_t tsc;              // base of the ticks
  wire::RingHeader* header;  // null: this thread records nothing
  uint32_t calls;            // entries begun since the last drain or drop
  uint32_t slot;
  uint8_t* bytes;  // the ring, `mask`+1 bytes
  uint64_t mask;
  uint64_t populated;
  bool dead;    // the memory went away (truncated by somebody, disk full)
  bool counts;  // this thread counts, and records nothing (counting.h)

  uint8_t* at(uint64_t position) { return bytes + (position & mask); }

  uint8_t* place() { return reinterpret_cast<uint8_t*>(origin + cursor); }  // at(cursor), faster
  // Where that can't be, since somebody wrote over it: where we are. Rarely asked.
  uint64_t published() const;
  void leave_ring() {  // no room: the short way asks nothing else
    header = nullptr, counts = false, limit = 0;
  }

  void publish() { publish(cursor); }
  void publish(uint64_t position) {
    // release: pairs with the acquire of `head` in formats/read/ring_reader.cc
    header->head.store(position, std::memory_order_release);
  }
};

// Makes room for n bytes at self.out.cursor, or counts a loss and returns false. May publish what
// is there: whoever calls it has a call in flight that can be cancelled or finished at any block's
// end.
bool make_room(ThreadState& self, uint64_t n);
// Takes the disk that these bytes of the image need. False: there is none.
bool try_pages(ThreadState& self, uint64_t at, uint64_t bytes);

inline uint8_t* room(ThreadState& self, RingWriter& out, uint64_t n) {
  if (out.cursor + n > out.limit) [[unlikely]]
    if (!make_room(self, n)) return nullptr;
  return out.place();
}

// Room for a record of n bytes and the ticks for its header, in this order: making room may begin a
// block, which has a time base of its own. Writes a new base first when 32 bits no longer hold the
// distance.
uint8_t* begin_record(ThreadState& self, RingWriter& out, uint64_t n, uint32_t& ticks);

bool take_ring(ThreadState& self);  // a ring of the image for this thread
void give_ring_back(ThreadState& self);
bool take_kept_ring(ThreadState& self);  // the one that it had before it went away
void give_kept_ring_back(ThreadState& state);
void write_thread_record(ThreadState& self);

}  // namespace sctrace::preload
