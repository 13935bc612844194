#include <algorithm>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

Value loop_key(const uint8_t* b, uint32_t size) {
  return value_text(std::string(reinterpret_cast<const char*>(b), std::min(size, 32u)));
}

Value pair(const uint8_t* b) {
  Value list = value_of(Kind::list);
  for (size_t i = 0; i < 2; ++i) list.items.push_back(value_hex(peek<uint64_t>(b + i * 8)));
  list.whole = 2;
  return list;
}

Value loop_info(const uint8_t* b) {
  const uint32_t type = peek<uint32_t>(b + 36), size = peek<uint32_t>(b + 40);
  Value rest = value_of(Kind::list);
  for (size_t i = 0; i < 4; ++i) rest.items.push_back(value_hex(b[160 + i]));
  rest.whole = 4;
  return Builder()
      .add("lo_number", value_number(peek<int32_t>(b)))
      .add("lo_device", device_value(peek<uint64_t>(b + 8)), true)
      .add("lo_inode", value_unsigned(peek<uint64_t>(b + 16)), true)
      .add("lo_rdevice", device_value(peek<uint64_t>(b + 24)), true)
      .add("lo_offset", value_hex(peek<uint32_t>(b + 32)))
      .add("lo_encrypt_type", word(Set::loop_crypt, type), !type)
      .add("lo_encrypt_key_size", value_unsigned(size), !type)
      .add("lo_flags", words(Set::loop_flags, peek<uint32_t>(b + 44)))
      .add("lo_name", name_in(b + 48, 64))
      .add("lo_encrypt_key", loop_key(b + 112, size), !type)
      .add("lo_init", pair(b + 144), true)
      .add("reserved", rest, true)
      .done();
}

Value loop_info64(const uint8_t* b) {
  const uint32_t type = peek<uint32_t>(b + 44), size = peek<uint32_t>(b + 48);
  return Builder()
      .add("lo_device", device_value(peek<uint64_t>(b)), true)
      .add("lo_inode", value_unsigned(peek<uint64_t>(b + 8)), true)
      .add("lo_rdevice", device_value(peek<uint64_t>(b + 16)), true)
      .add("lo_offset", value_hex(peek<uint64_t>(b + 24)))
      .add("lo_sizelimit", value_unsigned(peek<uint64_t>(b + 32)), true)
      .add("lo_number", value_unsigned(peek<uint32_t>(b + 40)))
      .add("lo_encrypt_type", word(Set::loop_crypt, type), !type)
      .add("lo_encrypt_key_size", value_unsigned(size), !type)
      .add("lo_flags", words(Set::loop_flags, peek<uint32_t>(b + 52)))
      .add("lo_file_name", name_in(b + 56, 64))
      .add("lo_crypt_name", name_in(b + 120, 64), !type)
      .add("lo_encrypt_key", loop_key(b + 184, size), !type)
      .add("lo_init", pair(b + 216), true)
      .done();
}

Value loop_config(const Scene& s, const uint8_t* b) {
  Builder f;
  f.add("fd", descriptor(s, peek<int32_t>(b)))
      .add("block_size", value_unsigned(peek<uint32_t>(b + 4)))
      .add("info", loop_info64(b + 8));
  if (std::any_of(b + 240, b + 304, [](uint8_t c) { return c != 0; })) {
    Value list = value_of(Kind::list);
    for (size_t i = 0; i < 8; ++i) list.items.push_back(value_hex(peek<uint64_t>(b + 240 + i * 8)));
    list.whole = 8;
    list.bounded = true;
    f.add("__reserved", list);
  }
  return f.done();
}

Value drive_status(const Scene& s, const uint8_t* b, const Place& place) {
  Builder f;
  f.add("status", value_hex(b[0]))
      .add("error", value_unsigned(b[1]))
      .add("nsector", value_unsigned(b[2]));
  uint8_t sectors = 0;
  if (s.memory.whole(&sectors, place.at + 3, 1, false) && sectors)
    f.add("buf", hexadecimal_text(s, place.at + 4, sectors * 512u, true));
  return f.done();
}

}  // namespace

Value block_struct(const Scene& s, Layout layout, const uint8_t* b, const Place& place) {
  switch (layout) {
    case Layout::loop_info: return loop_info(b);
    case Layout::loop_info64: return loop_info64(b);
    case Layout::loop_config: return loop_config(s, b);
    case Layout::identity: return text_at(s, place.at, 512, true);
    case Layout::identity_old: return text_at(s, place.at, 142, true);
    case Layout::drive_command:
      return Builder()
          .add("command", word(Set::ata_commands, b[0]))
          .add("sector_number", value_unsigned(b[1]))
          .add("feature", value_unsigned(b[2]))
          .add("sector_count", value_unsigned(b[3]))
          .done();
    case Layout::drive_status: return drive_status(s, b, place);
    case Layout::blktrace_setup:
      return Builder()
          .add("act_mask", value_unsigned(peek<uint16_t>(b + 32)))
          .add("buf_size", value_unsigned(peek<uint32_t>(b + 36)))
          .add("buf_nr", value_unsigned(peek<uint32_t>(b + 40)))
          .add("start_lba", value_unsigned(peek<uint64_t>(b + 48)))
          .add("end_lba", value_unsigned(peek<uint64_t>(b + 56)))
          .add("pid", value_unsigned(peek<uint32_t>(b + 64)))
          .done();
    case Layout::blktraced: return Builder().add("name", name_in(b, 32)).done();
    default: return {};
  }
}

}  // namespace sctrace::read
