// take_in(), take_out(): the bytes behind a call's arguments, as the table says, into the ring.
// What is read of the app's memory is read here and nowhere else, by a copy that survives any
// address.
#pragma once
#include <cstdint>

namespace sctrace::preload {

struct ThreadState;

// Bit flags of what a number wants taken; 0 = nothing but registers.
inline constexpr uint8_t plan_in = 1, plan_out = 2;
uint8_t plan_of(uint32_t nr);
uint8_t arity_of(uint32_t nr);  // arguments that an entry holds

bool take_in(ThreadState& self);
bool take_out(ThreadState& self, int64_t result);

// Copies from the app; false when any byte could not be read.
bool read_app(void* to, uint64_t from, uint64_t n);
bool write_app(uint64_t to, const void* from, uint64_t n);

}  // namespace sctrace::preload
