// put(): bytes of the app's memory → data records behind the entry. One taking is a call at one
// moment. All of them return false when the ring has no room; memory that cannot be read is said in
// the record and is no failure.
#pragma once
#include <cstdint>

namespace sctrace::preload {

struct ThreadState;

struct Taking {
  ThreadState& self;
  const uint64_t* args;
  bool out;
  int64_t result;  // out only
};

// Bounds of what one call may cost, whatever lengths the app names.
inline constexpr uint64_t path_most = 4096, struct_most = 1 << 18;

// Bytes at `address`: `keep` of the `wanted`. Nothing at a null address.
bool put(const Taking& t, uint64_t address, uint64_t wanted, uint64_t keep);
bool put_whole(const Taking& t, uint64_t address, uint64_t n);   // all of a struct
bool put_buffer(const Taking& t, uint64_t address, uint64_t n);  // as much as SCTRACE_STRSIZE
bool put_string(const Taking& t, uint64_t address);

}  // namespace sctrace::preload
