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

Value statx_time(const char* name, const uint8_t* at) {
  Value v = value_of(Kind::structure);
  const int64_t seconds = peek<int64_t>(at);
  const uint32_t nanoseconds = peek<uint32_t>(at + 8);
  v.items.push_back(named("tv_sec", value_number(seconds)));
  v.items.push_back(named("tv_nsec", value_unsigned(nanoseconds)));
  v.note = moment(seconds, nanoseconds, 9);
  return detail(named(name, std::move(v)));
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

Value statx_value(const Scene&, const uint8_t* b) {
  Value v = value_of(Kind::structure);
  const auto add = [&](const char* name, Value field) {
    v.items.push_back(named(name, std::move(field)));
  };
  add("stx_mask", words(Set::statx_masks, peek<uint32_t>(b)));
  v.items.push_back(detail(named("stx_blksize", value_unsigned(peek<uint32_t>(b + 4)))));
  add("stx_attributes", words(Set::statx_attributes, peek<uint64_t>(b + 8), true));
  v.items.push_back(detail(named("stx_nlink", value_unsigned(peek<uint32_t>(b + 16)))));
  v.items.push_back(detail(named("stx_uid", user_value(peek<uint32_t>(b + 20)))));
  v.items.push_back(detail(named("stx_gid", user_value(peek<uint32_t>(b + 24)))));
  add("stx_mode", file_mode_value(peek<uint16_t>(b + 28)));
  v.items.push_back(detail(named("stx_ino", value_unsigned(peek<uint64_t>(b + 32)))));
  add("stx_size", value_unsigned(peek<uint64_t>(b + 40)));
  v.items.push_back(detail(named("stx_blocks", value_unsigned(peek<uint64_t>(b + 48)))));
  v.items.push_back(detail(
      named("stx_attributes_mask", words(Set::statx_attributes, peek<uint64_t>(b + 56), true))));
  v.items.push_back(statx_time("stx_atime", b + 64));
  v.items.push_back(statx_time("stx_btime", b + 80));
  v.items.push_back(statx_time("stx_ctime", b + 96));
  v.items.push_back(statx_time("stx_mtime", b + 112));
  v.items.push_back(detail(named("stx_rdev_major", value_unsigned(peek<uint32_t>(b + 128)))));
  v.items.push_back(detail(named("stx_rdev_minor", value_unsigned(peek<uint32_t>(b + 132)))));
  v.items.push_back(detail(named("stx_dev_major", value_unsigned(peek<uint32_t>(b + 136)))));
  v.items.push_back(detail(named("stx_dev_minor", value_unsigned(peek<uint32_t>(b + 140)))));
  v.items.push_back(detail(named("stx_mnt_id", value_hex(peek<uint64_t>(b + 144)))));
  v.items.push_back(detail(named("stx_dio_mem_align", value_unsigned(peek<uint32_t>(b + 152)))));
  v.items.push_back(detail(named("stx_dio_offset_align", value_unsigned(peek<uint32_t>(b + 156)))));
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
