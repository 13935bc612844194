#include <cstring>

#include "formats/read/ring_reader.h"

namespace sctrace::read {

namespace {

// Bytes that an entry takes, before padding.
uint64_t entry_bytes(const uint8_t* bytes, uint8_t flags) {
  uint16_t nr, site;
  std::memcpy(&nr, bytes + offsetof(wire::Entry, nr), sizeof nr);
  std::memcpy(&site, bytes + offsetof(wire::Entry, site), sizeof site);
  const unsigned argc = site >> wire::argc_shift;
  uint64_t size =
      sizeof(wire::Entry) + (flags & wire::entry_far ? 8 : 0) + (nr == wire::nr_escape ? 4 : 0);
  for (unsigned n = 0; n < argc; ++n) size += flags >> n & 1 ? 8 : 4;
  return size;
}

const char* wrong_with_data(const uint8_t* bytes, uint64_t size) {
  uint64_t where;
  std::memcpy(&where, bytes + offsetof(wire::Data, where), sizeof where);
  const uint64_t kept = where >> 48;
  return size == sizeof(wire::Data) + (kept + 7) / 8 * 8
             ? nullptr
             : "data record of another length than it keeps";
}

const char* wrong_with_file(const uint8_t* bytes, uint64_t size) {
  wire::File file;
  std::memcpy(static_cast<void*>(&file), bytes, sizeof file);
  const uint64_t told = uint64_t{file.path_bytes} + file.name_bytes + file.peer_bytes;
  return size == sizeof file + (told + 7) / 8 * 8 ? nullptr
                                                  : "file record of another length than it tells";
}

const char* wrong_with_stack(uint64_t size, uint8_t flags) {
  if (flags & wire::stack_again)
    return size == sizeof(wire::Stack) ? nullptr : "stack record that refers and tells";
  return size > sizeof(wire::Stack) ? nullptr : "stack record without an address";
}

}  // namespace

const char* wrong_with(const wire::Header& header, const uint8_t* bytes) {
  const uint64_t size = header.units * 8u;
  const auto exactly = [&](uint64_t expected) {
    return size == expected ? nullptr : "record of a wrong length";
  };
  switch (header.type) {
    case wire::Type::pad: return "no record";
    case wire::Type::entry:
      if (size < sizeof(wire::Entry)) return "entry record too short";
      if (bytes[offsetof(wire::Entry, site) + 1] >> 5 > 6)
        return "entry record with seven arguments";
      return size >= entry_bytes(bytes, header.flags) ? nullptr
                                                      : "entry record too short for its arguments";
    case wire::Type::exit: return exactly(sizeof(wire::Exit));
    case wire::Type::data:
      return size < sizeof(wire::Data) ? "data record too short" : wrong_with_data(bytes, size);
    case wire::Type::thread: return exactly(sizeof(wire::Thread));
    case wire::Type::signal: return exactly(sizeof(wire::Signal));
    case wire::Type::lost: return exactly(sizeof(wire::Lost));
    case wire::Type::time: return exactly(sizeof(wire::Time));
    case wire::Type::stack: return wrong_with_stack(size, header.flags);
    case wire::Type::altered: return exactly(sizeof(wire::Altered));
    case wire::Type::file:
      return size < sizeof(wire::File) ? "file record too short" : wrong_with_file(bytes, size);
  }
  return "record of unknown type";
}

}  // namespace sctrace::read
