// Is a record what its head says it is? For whoever reads bytes that somebody else wrote.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "formats/wire/record.h"

namespace sctrace::read {

// Nothing, or why these bytes cannot be one record. `bytes` holds the whole of it.
const char* wrong_with(const wire::Header& header, const uint8_t* bytes);

// The records that every call has are seldom wrong: a few instructions instead of a call. False
// leaves the question to wrong_with().
inline bool is_plainly_right(const wire::Header& header, const uint8_t* bytes) {
  const uint64_t size = header.units * 8u;
  switch (header.type) {
    case wire::Type::exit: return size == sizeof(wire::Exit);
    case wire::Type::entry: {
      if (size < sizeof(wire::Entry)) return false;
      uint32_t nr_and_site;
      std::memcpy(&nr_and_site, bytes + offsetof(wire::Entry, nr), sizeof nr_and_site);
      const unsigned argc = nr_and_site >> (16 + wire::argc_shift);
      const unsigned wide = header.flags & ((1u << argc) - 1);
      const uint64_t arguments = 4ull * argc + 4ull * static_cast<unsigned>(std::popcount(wide));
      return argc <= 6 && (nr_and_site & 0xffff) != wire::nr_escape &&
             size >= sizeof(wire::Entry) + (header.flags & wire::entry_far ? 8 : 0) + arguments;
    }
    case wire::Type::data: {
      if (size < sizeof(wire::Data)) return false;
      uint64_t where;
      std::memcpy(&where, bytes + offsetof(wire::Data, where), sizeof where);
      return size == sizeof(wire::Data) + ((where >> 48) + 7) / 8 * 8;
    }
    default: return false;
  }
}

}  // namespace sctrace::read
