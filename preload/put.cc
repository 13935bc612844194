#include "preload/put.h"

#include "preload/global.h"
#include "preload/pack.h"
#include "preload/thread.h"

namespace sctrace::preload {
namespace {

constexpr uint64_t rounded(uint64_t n) { return (n + 7) & ~7ull; }

// The record of `kept` bytes that lie behind it already.
void finish(RingWriter& out, uint8_t* place, uint8_t flags, uint64_t wanted, uint64_t address,
            uint64_t kept) {
  const uint64_t size = sizeof(wire::Data) + rounded(kept);
  const uint32_t said = wanted > 0xffff'ffff ? 0xffff'ffff : static_cast<uint32_t>(wanted);
  const uint64_t where = wire::data_where(address, kept);
  put_header(place, size, wire::Type::data, flags, said);
  __builtin_memcpy(place + 8, &where, 8);
  out.cursor += size;
}

}  // namespace

bool put(const Taking& t, uint64_t address, uint64_t wanted, uint64_t keep) {
  RingWriter& out = t.self.out;
  if (!address) return true;
  for (;;) {
    const uint64_t n = keep < wire::data_piece ? keep : wire::data_piece;
    uint8_t* place = room(t.self, out, sizeof(wire::Data) + 8 + rounded(n));
    if (!place) return false;
    uint8_t* bytes = place + sizeof(wire::Data);
    const uint64_t zero = 0;
    __builtin_memcpy(bytes + (n & ~7ull), &zero, 8);  // what pads the last word
    const uint64_t missing = sctrace_copy(bytes, reinterpret_cast<const void*>(address), n);
    uint8_t flags = t.out ? wire::data_out : 0;
    if (missing) [[unlikely]]
      __builtin_memcpy(bytes + n - missing, &zero, 8), flags |= wire::data_fault;
    else if (keep > n) [[unlikely]]
      flags |= wire::data_more;
    else if (keep < wanted)
      flags |= wire::data_cut, count(out.header->cut);
    finish(out, place, flags, wanted, address, n - missing);
    if (keep == n || missing) [[likely]]
      return true;
    address += n, wanted -= n, keep -= n;
  }
}

bool put_whole(const Taking& t, uint64_t address, uint64_t n) {
  return put(t, address, n, n < struct_most ? n : struct_most);
}

bool put_buffer(const Taking& t, uint64_t address, uint64_t n) {
  const uint64_t most = global.config.strsize;
  return put(t, address, n, n < most ? n : most);
}

bool put_string(const Taking& t, uint64_t address) {
  if (!address) return true;
  RingWriter& out = t.self.out;
  uint8_t* place = room(t.self, out, sizeof(wire::Data) + path_most + 8);
  if (!place) return false;
  char* text = reinterpret_cast<char*>(place) + sizeof(wire::Data);
  const long n = sctrace_copy_string(text, reinterpret_cast<const char*>(address), path_most);
  uint64_t kept = static_cast<uint64_t>(n < 0 ? -1 - n : n);
  uint8_t flags = 0;
  if (n < 0)
    flags = wire::data_fault;
  else if (kept == path_most)
    flags = wire::data_cut;
  else
    ++kept;  // with its nul: that is how a reader knows that it is whole
  const uint64_t zero = 0;
  __builtin_memcpy(text + kept, &zero, 8);
  finish(out, place, flags, kept, address, kept);
  return true;
}

}  // namespace sctrace::preload
