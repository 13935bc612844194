#include "preload/ring_writer.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <time.h>

#include <cerrno>

#include "preload/counting.h"
#include "preload/global.h"
#include "preload/judge.h"
#include "preload/rings.h"
#include "preload/sandbox.h"
#include "preload/special.h"
#include "preload/thread.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace sctrace::preload {
namespace {

bool take_fresh_ring(ThreadState& self);

constexpr uint64_t data_blocks_most = 1ull << 32, head_most = 1ull << 56;

constexpr uint64_t populate_step = 16384;  // small: an idle thread shall touch no more

void add(std::atomic<uint64_t>& counter, uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

uint64_t block_size() { return global.measures.block_bytes; }

// A reader moves it too; and whoever can write to our files may write anything over it: then it is
// made what it can be at most behind `end`.
uint64_t drained_before(RingWriter& out, uint64_t end) {
  std::atomic<uint64_t>& drained = out.header->drained;
  const uint64_t now = drained.load(std::memory_order_relaxed), ring = out.mask + 1;
  if (end - now <= ring && now % block_size() == 0) return now;
  const uint64_t least = end < ring ? 0 : end - ring;
  drained.store(least, std::memory_order_relaxed);
  return least;
}

// SCTRACE_MAX_SIZE, of the whole trace. The first that it keeps from growing stops the recording
// for all.
bool within_max_bytes(uint64_t more) {
  wire::Session& session = *global.session;
  if (!session.max_bytes ||
      session.bytes.load(std::memory_order_relaxed) + more <= session.max_bytes)
    return true;
  session.stopped.store(1, std::memory_order_relaxed);
  return false;
}

// Asks for the pages before we store into them: on a full disk a store would be a SIGBUS, this is
// an errno. In a sandbox we don't ask; the guard (signals.cc) catches that SIGBUS.
bool populate(const ThreadState& self, RingWriter& out, uint64_t end) {
  const uint64_t whole = out.mask + 1;
  if (end > whole) end = whole;
  if (!may(self, own_pages)) out.populated = whole;
  while (out.populated < end) {
    uint64_t step = out.populated ? out.populated : populate_step;  // doubled each time
    if (step > block_size()) step = block_size();
    if (!within_max_bytes(step)) return false;
    const long done =
        arch::raw_syscall(__NR_madvise, out.bytes + out.populated, step, MADV_POPULATE_WRITE);
    if (done < 0 && done != -EINVAL)
      return false;  // EINVAL: a kernel before 5.14; the guard catches SIGBUS
    global.session->bytes.fetch_add(step, std::memory_order_relaxed);
    out.populated += step;
  }
  return true;
}

void set_limit(RingWriter& out) {
  const uint64_t block = out.cursor / block_size() * block_size(), block_end = block + block_size();
  out.origin = reinterpret_cast<uint64_t>(out.at(block)) - block;
  const bool all_there = out.populated > out.mask;
  out.limit = all_there || out.populated > block_end ? block_end : out.populated;
}

void begin_block(ThreadState& self, uint64_t start) {
  RingWriter& out = self.out;
  auto* block = reinterpret_cast<wire::BlockHeader*>(out.at(start));
  out.tsc = arch::ticks();
  *block = {.magic = wire::block_magic,
            .slot = out.slot,
            .sequence = start / block_size(),
            .tsc = out.tsc,
            .lost = out.header->lost.load(std::memory_order_relaxed),
            .pid = self.pid,
            .tid = self.tid,
            .used = 0,
            .calls = 0};
  out.calls = 0;
  out.cursor = start + sizeof(wire::BlockHeader);
  set_limit(out);
  out.publish();
}

bool write_all(long fd, const uint8_t* bytes, uint64_t n, uint64_t offset) {
  while (n) {
    const long done = arch::raw_syscall(__NR_pwrite64, fd, bytes, n, offset);
    if (done == -EINTR) continue;
    if (done <= 0) return false;
    bytes += done, n -= static_cast<uint64_t>(done), offset += static_cast<uint64_t>(done);
  }
  return true;
}

// Takes disk for what comes next, in large steps: page by page, as writes grow the file, ext4 asks
// two to four times as long (tests/bench/NOTES.md). The file's length stays true, and a small trace
// takes nothing ahead. Where it can't be done, the write goes as it would have.
void take_ahead(long fd, uint64_t offset) {
  constexpr uint64_t step = 4 << 20;
  const wire::Session& session = *global.session;
  if (!offset || offset % step) return;
  if (session.max_bytes && session.bytes.load(std::memory_order_relaxed) + step > session.max_bytes)
    return;
  arch::raw_syscall(__NR_fallocate, fd, 1 /* FALLOC_FL_KEEP_SIZE */, offset, step);
}

// Hands the closed blocks before `end` to the data file. Opens it by name and closes it again: we
// hold no descriptor that the app could close, inherit or count.
void drain(ThreadState& self, uint64_t end) {
  RingWriter& out = self.out;
  if (!may(self, own_drain)) return;
  const long fd = arch::raw_syscall(__NR_openat, AT_FDCWD, global.data_path,
                                    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  for (uint64_t from = drained_before(out, end); from < end; from += block_size()) {
    const auto* block = reinterpret_cast<const wire::BlockHeader*>(out.at(from));
    wire::Session& session = *global.session;
    const uint64_t said = __atomic_load_n(&block->used, __ATOMIC_RELAXED);
    const uint64_t used = said < block_size() ? said : block_size();
    if (!within_max_bytes(used)) break;
    const uint64_t place = global.image->data_blocks.fetch_add(1, std::memory_order_relaxed);
    if (place >= data_blocks_most) break;  // nobody has counted so far
    take_ahead(fd, place * block_size());
    if (!write_all(fd, out.at(from), used, place * block_size())) break;
    session.bytes.fetch_add(used, std::memory_order_relaxed);
    // release: a reader that sees it may look for the block in the data file. Where one has drained
    // it meanwhile it is there twice, and the same.
    uint64_t is = from;
    out.header->drained.compare_exchange_strong(is, from + block_size(), std::memory_order_release);
  }
  arch::raw_syscall(__NR_close, fd);
}

bool next_fits(RingWriter& out, uint64_t next) {
  return next + block_size() - drained_before(out, next) <= out.mask + 1;
}

// The place of the next block may still hold one that nobody could drain. Where there is another
// ring, mapped beforehand, the thread goes on there; this one is kept as it is.
bool take_another(ThreadState& self) {
  const RingWriter before = self.out;
  if (!take_fresh_ring(self)) return self.out = before, false;
  before.header->state.store(wire::RingState::full, std::memory_order_release);
  self.began = wire::Began::back;
  return true;
}

// Who was about to take this block and is killed shall not take it for taken (formats/drain.cc).
void say_given_up(wire::RingHeader& header, uint64_t sequence) {
  const uint64_t before = header.given_up.load(std::memory_order_relaxed);
  const auto number = static_cast<uint32_t>(sequence);
  const uint32_t first = before >> 32 == number ? static_cast<uint32_t>(before) : number;
  header.given_up.store(uint64_t{number + 1} << 32 | first, std::memory_order_relaxed);
}

// Else the oldest block goes, counted; unless a reader takes it at this very moment.
void drop_oldest(RingWriter& out, uint64_t next) {
  for (int tries = 0; tries < 1000 && !next_fits(out, next); ++tries) {
    uint64_t drained = drained_before(out, next);
    const auto* block = reinterpret_cast<const wire::BlockHeader*>(out.at(drained));
    if (!out.header->drained.compare_exchange_strong(drained, drained + block_size())) continue;
    say_given_up(*out.header, drained / block_size());
    add(out.header->lost, block->calls);
  }
}

bool is_recent(uint64_t tsc) { return arch::ticks() - tsc < wire::reader_ticks; }

bool has_reader() {
  const uint64_t seen = global.session->reader.load(std::memory_order_relaxed);
  return seen && is_recent(seen);
}

// Where a program was just started, one may be on its way.
bool expects_reader() {
  return has_reader() || (!global.session->reader.load(std::memory_order_relaxed) &&
                          is_recent(global.measures.first.tsc));
}

// SCTRACE_MODE=block: as long as there is one that could take them. Signals wait, too.
void wait_for_reader(ThreadState& self, uint64_t next) {
  constexpr timespec patience{0,
                              100'000'000};  // then it is looked whether the reader is still there
  std::atomic<uint64_t>& drained = self.out.header->drained;
  while (!next_fits(self.out, next) && expects_reader() && may(self, own_others) &&
         !global.session->stopped.load(std::memory_order_relaxed)) {
    const auto seen = static_cast<uint32_t>(drained.load(std::memory_order_acquire));
    if (next_fits(self.out, next)) return;
    arch::raw_syscall(__NR_futex, &drained, FUTEX_WAIT, seen, &patience);
  }
}

// Makes room for the block at `next`. True: in another ring, all is done.
bool free_a_block(ThreadState& self, uint64_t next) {
  RingWriter& out = self.out;
  const wire::Mode mode = global.measures.mode;
  if (mode == wire::Mode::stream) drain(self, next);
  if (mode == wire::Mode::block) wait_for_reader(self, next);
  if (next_fits(out, next)) return false;
  if (mode == wire::Mode::stream && !self.borrowed_from && take_another(self)) return true;
  drop_oldest(out, next);
  return false;
}

bool next_block(ThreadState& self) {
  RingWriter& out = self.out;
  const uint64_t start = (out.cursor - 1) / block_size() * block_size();
  auto* block = reinterpret_cast<wire::BlockHeader*>(out.at(start));
  block->used = static_cast<uint32_t>(out.cursor - start);
  block->calls = out.calls;
  out.publish();
  const uint64_t next = start + block_size();
  const wire::Mode mode = global.measures.mode;
  const auto is_left = [&] {
    return next_fits(out, next) && (mode != wire::Mode::stream || has_reader());
  };
  if (mode != wire::Mode::overwrite && !is_left() && free_a_block(self, next)) return true;
  if (!populate(self, out, next + populate_step)) return false;
  begin_block(self, next);
  return true;
}

}  // namespace

// Both ends of a vfork write into one ring: it may be ahead of our cursor, in the block of limit.
uint64_t RingWriter::published() const {
  const uint64_t head = header->head.load(std::memory_order_relaxed);
  const uint64_t block = (limit - 1) / block_size() * block_size();
  return head - block <= block_size() ? head : cursor;
}

bool make_room(ThreadState& self, uint64_t n) {
  RingWriter& out = self.out;
  if (out.dead || out.counts || global.session->stopped.load(std::memory_order_relaxed))
    return false;
  SpecialWork work(self);
  for (int tries = 0; tries < 64; ++tries) {
    const uint64_t block_end = (out.limit - 1) / block_size() * block_size() + block_size();
    if (out.cursor + n > block_end) {
      work.published();
      if (!next_block(self)) return false;
      if (self.in_flight.recording) self.shown_at = out.cursor;
    } else if (!populate(self, out, out.populated + populate_step)) {
      return false;
    }
    set_limit(out);
    if (out.cursor + n <= out.limit) return true;
  }
  return false;
}

bool try_pages(ThreadState& self, uint64_t at, uint64_t bytes) {
  constexpr uint64_t page = 4096;
  const uint64_t begin = at & ~(page - 1), end = (at + bytes + page - 1) & ~(page - 1);
  if (global.session->stopped.load(std::memory_order_relaxed)) return false;
  SpecialWork work(self);
  if (!may(self, own_pages)) return true;  // the guard catches what becomes of it
  if (!within_max_bytes(end - begin)) return false;
  const long done = arch::raw_syscall(__NR_madvise, begin, end - begin, MADV_POPULATE_WRITE);
  if (done < 0 && done != -EINVAL) return false;
  global.session->bytes.fetch_add(end - begin, std::memory_order_relaxed);
  return true;
}

uint8_t* begin_record(ThreadState& self, RingWriter& out, uint64_t n, uint32_t& ticks) {
  if (!room(self, out, n + sizeof(wire::Time))) [[unlikely]]
    return nullptr;
  const uint64_t now = arch::ticks();
  uint64_t distance = now - out.tsc;
  if (distance >> 32) [[unlikely]] {
    *reinterpret_cast<wire::Time*>(out.at(out.cursor)) = {.header = {2, wire::Type::time, 0, 0},
                                                          .tsc = now};
    out.cursor += sizeof(wire::Time);
    out.tsc = now;
    distance = 0;
  }
  ticks = static_cast<uint32_t>(distance);
  return out.place();
}

namespace {

bool no_ring(ThreadState& self) {
  self.out.leave_ring();
  global.image->unseen_threads.fetch_add(1, std::memory_order_relaxed);
  return false;
}

// How much of a ring that others wrote before is there: populate() doubles from one step up.
uint64_t populated_until(const RingWriter& out) {
  uint64_t populated = out.cursor ? populate_step : 0;
  while (populated && populated <= out.mask && populated < out.cursor) populated *= 2;
  return populated > out.mask ? out.mask + 1 : populated;
}

bool begin_ring(ThreadState& self, wire::RingHeader* header, uint32_t slot) {
  RingWriter& out = self.out;
  out = {};
  self.shown_at = 0;
  out.header = header;
  out.bytes = reinterpret_cast<uint8_t*>(out.header) + wire::ring_header_bytes;
  out.mask = global.measures.ring_bytes - 1;
  out.slot = slot;
  out.header->pid.store(self.pid, std::memory_order_relaxed);
  out.header->tid.store(self.tid, std::memory_order_relaxed);
  if (global.measures.mode == wire::Mode::counts) return begin_counters(out), true;
  out.cursor = out.header->head.load(std::memory_order_relaxed);
  if (out.cursor % 8 || out.cursor > head_most) out.cursor = 0;  // no head of ours
  out.populated = populated_until(out);
  if (!populate(self, out, out.populated + populate_step)) return out.dead = true, false;
  if (out.cursor == 0) begin_block(self, 0);
  set_limit(out);
  return true;
}

bool take_fresh_ring(ThreadState& self) {
  uint32_t slot;
  wire::RingHeader* ring = fresh_ring(slot, may(self, own_drain | own_memory | own_pages));
  return ring && begin_ring(self, ring, slot);
}

}  // namespace

bool take_ring(ThreadState& self) {
  uint32_t slot;
  // What a thread has counted is its own, as long as there are others.
  if (global.measures.mode == wire::Mode::counts && take_fresh_ring(self)) return true;
  if (wire::RingHeader* ring = reuse_ring(slot)) return begin_ring(self, ring, slot);
  return take_fresh_ring(self) || (!self.out.header && no_ring(self));
}

bool take_kept_ring(ThreadState& self) {
  wire::RingHeader* const kept = self.kept;
  self.kept = nullptr;
  return begin_ring(self, kept, self.kept_slot);
}

void give_kept_ring_back(ThreadState& state) {
  ring_is_done(state.kept);
  state.kept = nullptr;
}

void give_ring_back(ThreadState& self) {
  if (!self.out.header || self.borrowed_from) return;
  ring_is_done(self.out.header);
  self.out.leave_ring();
}

void write_thread_record(ThreadState& self) {
  RingWriter& out = self.out;
  if (!out.header || out.dead) return;
  uint32_t ticks;
  uint8_t* place = begin_record(self, out, sizeof(wire::Thread), ticks);
  if (!place) return;
  *reinterpret_cast<wire::Thread*>(place) = {
      .header = {sizeof(wire::Thread) / 8, wire::Type::thread, 0, ticks},
      .pid = self.pid,
      .tid = self.tid,
      .began = self.began,
      .parent = self.parent};
  out.cursor += sizeof(wire::Thread);
  out.publish();
  if (global.judging) settle_records(self);
}

}  // namespace sctrace::preload
