#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

Value detail(Value v) {
  v.detail = true;
  return v;
}

// A file's time: seconds with the moment that they are, and the nanoseconds of their own.
void add_time(Value& v, const char* name, int64_t seconds, uint64_t nanoseconds) {
  Value stamp = value_number(seconds);
  stamp.note = moment(seconds, static_cast<uint32_t>(nanoseconds), 9);
  v.items.push_back(detail(named(name, std::move(stamp))));
  v.items.push_back(detail(named(std::string(name) + "_nsec", value_unsigned(nanoseconds))));
}

Value statx_time(const uint8_t* at) {
  Value v = value_of(Kind::structure);
  const int64_t seconds = peek<int64_t>(at);
  const uint32_t nanoseconds = peek<uint32_t>(at + 8);
  v.items.push_back(named("tv_sec", value_number(seconds)));
  v.items.push_back(named("tv_nsec", value_unsigned(nanoseconds)));
  v.note = moment(seconds, nanoseconds, 9);
  return v;
}

}  // namespace

Value stat_value(const Scene& s, const uint8_t* b) {
  Value v = plain(s, Layout::stat, b);
  v.items.reserve(v.items.size() + 6);
  const uint32_t mode = peek<uint32_t>(b + 24);
  if ((mode & 0170000) == 0020000 ||
      (mode & 0170000) == 0060000)  // a device: its number stands for its size
    v.items.back() = named("st_rdev", device_value(peek<uint64_t>(b + 40)));
  v.more = true;
  if (s.depth == Depth::brief) return v;
  add_time(v, "st_atime", peek<int64_t>(b + 72), peek<uint64_t>(b + 80));
  add_time(v, "st_mtime", peek<int64_t>(b + 88), peek<uint64_t>(b + 96));
  add_time(v, "st_ctime", peek<int64_t>(b + 104), peek<uint64_t>(b + 112));
  return v;
}

// What the kernel did not fill, by its mask, is not shown.
Value statx_value(const Scene&, const uint8_t* b) {
  Value v = value_of(Kind::structure);
  const uint32_t mask = peek<uint32_t>(b);
  constexpr uint32_t always = ~0u, type_or_mode = 3, mount = 0x5000, direct = 0x2000;
  const auto add = [&](uint32_t needs, const char* name, Value field) {
    if (mask & needs || needs == always) v.items.push_back(named(name, std::move(field)));
  };
  const auto add_detail = [&](uint32_t needs, const char* name, Value field) {
    add(needs, name, detail(std::move(field)));
  };
  const auto number = [&](size_t at) { return value_unsigned(peek<uint32_t>(b + at)); };
  add(always, "stx_mask", words(Set::statx_masks, mask));
  add_detail(always, "stx_blksize", number(4));
  add(always, "stx_attributes", words(Set::statx_attributes, peek<uint64_t>(b + 8), true));
  add_detail(4, "stx_nlink", number(16));
  add_detail(8, "stx_uid", user_value(peek<uint32_t>(b + 20)));
  add_detail(0x10, "stx_gid", user_value(peek<uint32_t>(b + 24)));
  add(type_or_mode, "stx_mode", file_mode_value(peek<uint16_t>(b + 28)));
  add_detail(0x100, "stx_ino", value_unsigned(peek<uint64_t>(b + 32)));
  add(0x200, "stx_size", value_unsigned(peek<uint64_t>(b + 40)));
  add_detail(0x400, "stx_blocks", value_unsigned(peek<uint64_t>(b + 48)));
  add_detail(always, "stx_attributes_mask",
             words(Set::statx_attributes, peek<uint64_t>(b + 56), true));
  add_detail(0x20, "stx_atime", statx_time(b + 64));
  add_detail(0x800, "stx_btime", statx_time(b + 80));
  add_detail(0x80, "stx_ctime", statx_time(b + 96));
  add_detail(0x40, "stx_mtime", statx_time(b + 112));
  add_detail(always, "stx_rdev_major", number(128));
  add_detail(always, "stx_rdev_minor", number(132));
  add_detail(always, "stx_dev_major", number(136));
  add_detail(always, "stx_dev_minor", number(140));
  add_detail(mount, "stx_mnt_id", value_hex(peek<uint64_t>(b + 144)));
  add_detail(direct, "stx_dio_mem_align", number(152));
  add_detail(direct, "stx_dio_offset_align", number(156));
  v.more = true;
  return v;
}

namespace {
void add_entry(Value& list, std::string_view one, bool wide) {
  const auto* b = reinterpret_cast<const uint8_t*>(one.data());
  const size_t head = wide ? 19 : 18;
  const char* name = one.data() + head;
  const size_t name_bytes = strnlen(name, one.size() - head - (wide ? 0 : 1));
  const uint8_t type = wide ? b[18] : b[one.size() - 1];
  Value entry = value_of(Kind::structure);
  entry.items.reserve(5);
  entry.items.push_back(named("d_ino", value_unsigned(peek<uint64_t>(b))));
  entry.items.push_back(named(
      "d_off", wide ? value_number(peek<int64_t>(b + 8)) : value_unsigned(peek<uint64_t>(b + 8))));
  entry.items.push_back(named("d_reclen", value_unsigned(one.size())));
  Value kind = named("d_type", word(Set::directory_types, type)),
        called = named("d_name", value_text(std::string(name, name_bytes)));
  called.path = true;
  if (wide) entry.items.push_back(std::move(kind));
  entry.items.push_back(std::move(called));
  if (!wide) entry.items.push_back(std::move(kind));
  list.items.push_back(std::move(entry));
}
}  // namespace

// getdents: a list of entries, shown whole by -v, else only counted.
Value directory_entries(const Scene& s, uint64_t at, uint64_t bytes, bool wide) {
  const std::string all = s.memory.bytes(at, bytes, true);
  if (bytes && all.empty()) return value_address(at);
  Value list = value_of(Kind::list);
  const auto* b = reinterpret_cast<const uint8_t*>(all.data());
  const size_t head = wide ? 19 : 18;
  for (size_t i = 0; i + head < all.size();) {
    const uint16_t length = peek<uint16_t>(b + i + 16);
    if (length < head || i + length > all.size()) break;
    ++list.whole;
    i += length;
    if (s.depth == Depth::brief) continue;
    add_entry(list, std::string_view(all).substr(i - length, length), wide);
  }
  list.number = at;
  list.unknown = "entries";  // brief form: the address and how many of these
  return list;
}

}  // namespace sctrace::read
