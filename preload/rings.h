// The image's rings in memory: mapped in chunks as threads come, so that a small program takes
// little address space and ten thousand threads find room. Which ring is whose is settled by
// compare-and-swap in the file.
#pragma once
#include <cstdint>

#include "formats/wire/ring.h"

namespace sctrace::preload {

inline constexpr uint32_t chunk_slots = 64, chunk_most = 256, slots_most = chunk_slots * chunk_most;

void first_chunk(uint8_t* rings, uint32_t slots);         // what image.cc has mapped already
wire::RingHeader* try_ring(uint32_t slot, bool may_map);  // null: not mapped, and not to be had now
wire::RingHeader* reuse_ring(uint32_t& slot);  // one that a thread gave back, now live; or null
wire::RingHeader* fresh_ring(uint32_t& slot, bool may_map);  // one that nobody had; or null
void ring_is_done(wire::RingHeader* ring);
bool is_in_rings(uint64_t address);
void lose_rings();  // the file went away under us: go on without, on memory of our own

}  // namespace sctrace::preload
