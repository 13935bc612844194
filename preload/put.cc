#include "preload/put.h"

#include <asm/unistd.h>

#include "preload/global.h"
#include "preload/load.h"
#include "preload/pack.h"
#include "preload/thread.h"

namespace sctrace::preload {
namespace {

constexpr uint64_t rounded(uint64_t n) { return (n + 7) & ~7ull; }

void put_head(uint8_t* place, uint8_t flags, uint64_t wanted, uint64_t address, uint64_t kept) {
  const uint32_t said = wanted > 0xffff'ffff ? 0xffff'ffff : static_cast<uint32_t>(wanted);
  const uint64_t where = wire::data_where(address, kept);
  put_header(place, sizeof(wire::Data) + rounded(kept), wire::Type::data, flags, said);
  __builtin_memcpy(place + 8, &where, 8);
}

void clear(uint8_t* at) {
  const uint64_t zero = 0;
  __builtin_memcpy(at, &zero, 8);
}

// Only `kept` of the bytes could be read: the head, which promised more, is made true.
[[gnu::noinline, gnu::cold]] bool put_less(RingWriter& out, uint64_t address, uint64_t wanted,
                                           uint8_t way, uint64_t kept) {
  uint8_t* place = out.place();
  clear(place + sizeof(wire::Data) + kept);
  put_head(place, way | wire::data_fault, wanted, address, kept);
  out.cursor += sizeof(wire::Data) + rounded(kept);
  return false;
}

// One record of n bytes, its head first: little is left to remember while the bytes move. False:
// there is nothing to go on with.
[[gnu::always_inline]] inline bool put_piece(ThreadState& self, uint8_t way, uint8_t flags,
                                             uint64_t address, uint64_t wanted, uint64_t n,
                                             uint64_t source) {
  RingWriter& out = self.out;
  uint8_t* place = out.place();
  uint8_t* bytes = place + sizeof(wire::Data);
  clear(bytes + (n & ~7ull));  // what pads the last word
  put_head(place, way | flags, wanted, address, n);
  const uint64_t missing = copy_in(bytes, source, n);
  if (missing) [[unlikely]]
    return put_less(out, address, wanted, way, n - missing);
  out.cursor += sizeof(wire::Data) + rounded(n);
  return true;
}

[[gnu::noinline]] bool put_pieces(ThreadState& self, uint8_t way, uint64_t address, uint64_t wanted,
                                  uint64_t keep, uint64_t source) {
  for (uint64_t n; keep; address += n, source += n, wanted -= n, keep -= n) {
    n = keep < wire::data_piece ? keep : wire::data_piece;
    if (!room(self, self.out, sizeof(wire::Data) + 8 + rounded(n))) return false;
    const uint8_t flags = keep > n ? wire::data_more : n < wanted ? wire::data_cut : 0;
    if (!put_piece(self, way, flags, address, wanted, n, source)) return true;
    if (flags & wire::data_cut) count(self.out.header->cut);
  }
  return true;
}

}  // namespace

bool put(ThreadState& self, uint8_t way, uint64_t address, uint64_t wanted, uint64_t keep) {
  if (!address) return true;
  if (keep > wire::data_piece) [[unlikely]]
    return put_pieces(self, way, address, wanted, keep, address);
  if (!room(self, self.out, sizeof(wire::Data) + 8 + rounded(keep))) return false;
  const bool cut = keep < wanted;
  const bool whole = put_piece(self, way, cut ? wire::data_cut : 0, address, wanted, keep, address);
  if (whole && cut) count(self.out.header->cut);
  return true;
}

bool put_copy(ThreadState& self, uint8_t way, uint64_t copy, uint64_t address, uint64_t wanted,
              uint64_t keep) {
  return put_pieces(self, way | wire::data_exact, address, wanted, keep, copy);
}

bool put_whole(ThreadState& self, uint8_t way, uint64_t address, uint64_t n) {
  return put(self, way, address, n, n < struct_most ? n : struct_most);
}

namespace {

bool moves_messages(uint64_t nr) {
  return nr - __NR_sendto < 4 || nr == __NR_sendmmsg || nr == __NR_recvmmsg;
}

// A message begins with its length, its own header of 16 bytes in it. Other data that begin so are
// kept for nothing: one in a million.
bool is_netlink(uint64_t address, uint64_t n) {
  uint32_t length = 0;
  return n <= 65536 &&
         sctrace_copy(&length, reinterpret_cast<const void*>(address), sizeof length) == 0 &&
         length >= 16 && length <= n;
}

// A number beyond the table has no buffers.
uint64_t most_of(const ThreadState& self) {
  return global.config.strsize_of[static_cast<uint32_t>(self.frame.nr)];
}

// Apart, so that the usual way needs no more registers.
[[gnu::noinline]] bool put_messages(ThreadState& self, uint8_t way, uint64_t address, uint64_t n) {
  return put(self, way, address, n, is_netlink(address, n) ? n : most_of(self));
}

}  // namespace

uint64_t kept_of(const ThreadState& self, uint64_t address, uint64_t n) {
  const uint64_t most = most_of(self);
  return n <= most || (moves_messages(self.frame.nr) && is_netlink(address, n)) ? n : most;
}

bool put_buffer(ThreadState& self, uint8_t way, uint64_t address, uint64_t n) {
  const uint64_t most = most_of(self);
  if (n > most && moves_messages(self.frame.nr)) [[unlikely]]
    return put_messages(self, way, address, n);
  return put(self, way, address, n, n < most ? n : most);
}

bool put_length(ThreadState& self, uint8_t way, uint64_t address, uint64_t n) {
  if (!address) return true;
  uint8_t* place = room(self, self.out, sizeof(wire::Data));
  if (!place) return false;
  put_head(place, way | wire::data_redacted, n, address, 0);
  self.out.cursor += sizeof(wire::Data);
  return true;
}

namespace {

// One record of it. `full`: its nul is not among the bytes that one has room for, so it is `flag`.
[[gnu::always_inline]] inline bool put_text(ThreadState& self, uint64_t address, uint8_t flag,
                                            bool& full) {
  RingWriter& out = self.out;
  uint8_t* place = room(self, out, sizeof(wire::Data) + path_most + 8);
  if (!place) return false;
  char* text = reinterpret_cast<char*>(place) + sizeof(wire::Data);
  const long n = sctrace_copy_string(text, reinterpret_cast<const char*>(address), path_most);
  uint64_t kept = static_cast<uint64_t>(n < 0 ? -1 - n : n);
  uint8_t flags = 0;
  if (n < 0)
    flags = wire::data_fault;
  else if (kept == path_most)
    flags = flag, full = true;
  else
    ++kept;  // with its nul: that is how a reader knows that it is whole
  clear(place + sizeof(wire::Data) + kept);
  put_head(place, flags, kept, address, kept);
  out.cursor += sizeof(wire::Data) + rounded(kept);
  return true;
}

}  // namespace

bool put_string(ThreadState& self, uint64_t address) {
  bool full = false;
  return !address || put_text(self, address, wire::data_cut, full);
}

bool put_argument(ThreadState& self, uint64_t address) {
  constexpr uint64_t most = 32;  // MAX_ARG_STRLEN, in records
  bool full = address;
  for (uint64_t n = 1; full && n <= most; ++n, address += path_most) {
    full = false;
    if (!put_text(self, address, n < most ? wire::data_more : wire::data_cut, full)) return false;
  }
  return true;
}

}  // namespace sctrace::preload
