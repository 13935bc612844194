// put(): bytes of the app's memory → data records behind the entry. All of them return false when
// the ring has no room; memory that cannot be read is said in the record and is no failure.
#pragma once
#include <cstdint>

namespace sctrace::preload {

struct ThreadState;

// Bounds of what one call may cost, whatever lengths the app names.
inline constexpr uint64_t path_most = 4096, struct_most = 1 << 18;

// Of a data buffer of n bytes so many are kept: as SCTRACE_STRSIZE says for the call in flight, and
// of what looks like messages of netlink all, for those are structs.
uint64_t kept_of(const ThreadState& self, uint64_t address, uint64_t n);

// Bytes at `address`: `keep` of the `wanted`, and nothing at a null address. `way`: wire::data_out
// or 0.
bool put(ThreadState& self, uint8_t way, uint64_t address, uint64_t wanted, uint64_t keep);
bool put_whole(ThreadState& self, uint8_t way, uint64_t address, uint64_t n);  // a struct
bool put_buffer(ThreadState& self, uint8_t way, uint64_t address,
                uint64_t n);  // as much as SCTRACE_STRSIZE
bool put_string(ThreadState& self, uint64_t address);
bool put_argument(ThreadState& self, uint64_t address);  // a string of execve: longer than a path
// That there were n bytes; none is kept (redact.h).
bool put_length(ThreadState& self, uint8_t way, uint64_t address, uint64_t n);
// The same as put() for what lies in a copy of ours, which the kernel uses in place of `address`.
bool put_copy(ThreadState& self, uint8_t way, uint64_t copy, uint64_t address, uint64_t wanted,
              uint64_t keep);

}  // namespace sctrace::preload
