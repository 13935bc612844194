// How many values one call may become. A table that came with a trace could ask for any number of
// fields over the same bytes; what goes beyond is shown as the address where it would stand.
#pragma once
#include <cstdint>

namespace sctrace::read {

inline constexpr uint32_t values_most = 300'000;         // of some 300 bytes each
inline thread_local uint32_t values_left = values_most;  // decode() begins anew

inline bool try_spend_value() { return values_left && values_left--; }

}  // namespace sctrace::read
