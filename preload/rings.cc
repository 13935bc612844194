#include "preload/rings.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "arch/x86_64/frame.h"
#include "preload/global.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

std::atomic<uint8_t*> chunks[chunk_most];
uint32_t first_slots;  // of chunk 0, where memory was too short for a whole one

uint64_t chunk_bytes() { return chunk_slots * global.measures.slot_bytes; }

uint64_t bytes_of(uint32_t chunk) {
  return chunk == 0 ? first_slots * global.measures.slot_bytes : chunk_bytes();
}

uint8_t* map_chunk(uint32_t chunk) {
  const long fd =
      raw_syscall(__NR_openat, AT_FDCWD, global.ring_path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return nullptr;
  const long at =
      raw_syscall(__NR_mmap, 0, chunk_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                  fd, wire::image_header_bytes + chunk * chunk_bytes());
  raw_syscall(__NR_close, fd);
  if (at < 0) return nullptr;
  raw_syscall(__NR_madvise, at, chunk_bytes(), MADV_RANDOM);  // as image.cc does, and why
  uint8_t* none = nullptr;
  auto* mine = reinterpret_cast<uint8_t*>(at);
  if (chunks[chunk].compare_exchange_strong(none, mine)) return mine;
  raw_syscall(__NR_munmap, at, chunk_bytes());  // another thread was first
  return none;
}

}  // namespace

void first_chunk(uint8_t* rings, uint32_t slots) {
  first_slots = slots;
  chunks[0].store(rings, std::memory_order_release);
}

wire::RingHeader* try_ring(uint32_t slot, bool may_map) {
  const uint32_t chunk = slot / chunk_slots, place = slot % chunk_slots;
  if (slot >= global.measures.slots || (chunk == 0 && place >= first_slots)) return nullptr;
  uint8_t* base = chunks[chunk].load(std::memory_order_acquire);
  if (!base && may_map) base = map_chunk(chunk);
  if (!base) return nullptr;
  return reinterpret_cast<wire::RingHeader*>(base + place * global.measures.slot_bytes);
}

wire::RingHeader* reuse_ring(uint32_t& slot) {
  wire::Image& image = *global.image;
  if (!image.slots_done.load(std::memory_order_relaxed)) return nullptr;
  const uint32_t used = image.slots_used.load(std::memory_order_relaxed);
  for (slot = 0; slot < used && slot < global.measures.slots; ++slot) {
    wire::RingHeader* ring = try_ring(slot, false);
    auto done = wire::RingState::done;
    if (!ring || !ring->state.compare_exchange_strong(done, wire::RingState::live)) continue;
    image.slots_done.fetch_sub(1, std::memory_order_relaxed);
    return ring;
  }
  return nullptr;
}

wire::RingHeader* fresh_ring(uint32_t& slot, bool may_map) {
  wire::Image& image = *global.image;
  const uint32_t next = image.slots_used.load(std::memory_order_relaxed);
  if (!try_ring(next, may_map)) return nullptr;
  slot = image.slots_used.fetch_add(1, std::memory_order_relaxed);
  wire::RingHeader* ring = try_ring(slot, may_map);
  constexpr int populate_write = 23;  // MADV_POPULATE_WRITE
  if (!ring) return nullptr;
  if (may_map && raw_syscall(__NR_madvise, ring, 4096, populate_write) == -EFAULT) return nullptr;
  ring->state.store(wire::RingState::live, std::memory_order_relaxed);
  return ring;
}

void ring_is_done(wire::RingHeader* ring) {
  ring->state.store(wire::RingState::done, std::memory_order_release);
  global.image->slots_done.fetch_add(1, std::memory_order_relaxed);
}

bool is_in_rings(uint64_t address) {
  for (uint32_t chunk = 0; chunk < chunk_most; ++chunk) {
    const uint8_t* base = chunks[chunk].load(std::memory_order_relaxed);
    if (base && address - reinterpret_cast<uint64_t>(base) < bytes_of(chunk)) return true;
  }
  return false;
}

void lose_rings() {
  for (uint32_t chunk = 0; chunk < chunk_most; ++chunk)
    if (uint8_t* base = chunks[chunk].load(std::memory_order_relaxed))
      raw_syscall(__NR_mmap, base, bytes_of(chunk), PROT_READ | PROT_WRITE,
                  MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

}  // namespace sctrace::preload
