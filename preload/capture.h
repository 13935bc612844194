// take_in(), take_out(): the bytes behind a call's arguments, as the table says, into the ring.
// What is read of the app's memory is read here and nowhere else, by a copy that survives any
// address.
#pragma once
#include <cstdint>

#include "preload/facts.h"

namespace sctrace::preload {

struct ThreadState;

Facts facts_of(uint32_t nr);  // as far as the table knows them

bool take_in(ThreadState& self, const Facts& facts);
bool take_out(ThreadState& self, const Facts& facts, int64_t result);

// Copies from the app; false when any byte could not be read.
bool read_app(void* to, uint64_t from, uint64_t n);
bool write_app(uint64_t to, const void* from, uint64_t n);

}  // namespace sctrace::preload
