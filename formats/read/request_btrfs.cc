#include <fmt/format.h>

#include <algorithm>

#include "formats/read/requests.h"
#include "formats/read/spending.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

// A number, or the name that it has: of an object, of a key, of the highest one.
Value number(uint64_t v, Set set = Set::none, bool narrow = false) {
  const char* name = set == Set::none ? nullptr : word_text(set, v);
  if (!name && v == ~0ull) name = "UINT64_MAX";
  if (!name && narrow && v == 0xffffffff) name = "UINT32_MAX";
  if (!name) return value_unsigned(v);
  Value one = value_of(Kind::word);
  one.base = Value::Base::unsigned_decimal;
  one.number = v;
  one.text = name;
  return one;
}

Value time_of(const uint8_t* b) {
  const uint64_t seconds = peek<uint64_t>(b);
  const uint32_t nanoseconds = peek<uint32_t>(b + 8);
  Value v =
      Builder().add("sec", value_unsigned(seconds)).add("nsec", value_unsigned(nanoseconds)).done();
  if (nanoseconds < 1000000000) v.note = moment(static_cast<int64_t>(seconds), nanoseconds, 9);
  return v;
}

Value search_key(const uint8_t* b) {
  constexpr uint64_t first_free = 256;  // where every search begins: not worth showing in brief
  const auto at = [&](size_t i) { return peek<uint64_t>(b + i * 8); };
  Builder f;
  f.add("tree_id", number(at(0), Set::btrfs_objects));
  f.add("min_objectid", number(at(1), Set::btrfs_objects), at(1) == first_free);
  Value v = f.add("max_objectid", number(at(2), Set::btrfs_objects))
                .add("min_offset", number(at(3)))
                .add("max_offset", number(at(4)))
                .add("min_transid", number(at(5)))
                .add("max_transid", number(at(6)))
                .add("min_type", number(peek<uint32_t>(b + 56), Set::btrfs_keys, true))
                .add("max_type", number(peek<uint32_t>(b + 60), Set::btrfs_keys, true))
                .add("nr_items", value_unsigned(peek<uint32_t>(b + 64)))
                .done();
  v.items[1].more = v.items[1].detail;  // left out without a trace
  return v;
}

Value balance(const Scene& s, const uint8_t* b) {
  constexpr uint64_t kinds[] = {1, 4, 2};  // data, metadata, system: where each lies in turn
  static constexpr const char* names[] = {"data", "meta", "sys"};
  const uint64_t flags = peek<uint64_t>(b);
  Builder f;
  f.add("flags", words(Set::btrfs_balance, flags, true));
  for (size_t i = 0; i < 3; ++i)
    if (flags & kinds[i]) f.add(names[i], plain(s, Layout::btrfs_balance_arg, b + 16 + i * 136));
  return f.done();
}

Value inherited(const Scene& s, uint64_t at, uint64_t size) {
  uint8_t b[72];
  if (!at || size < sizeof b || !s.memory.whole(b, at, sizeof b, false)) return value_address(at);
  Value v = plain(s, Layout::btrfs_inherited, b);
  const uint64_t count = std::min(peek<uint64_t>(b + 8), (size - sizeof b) / 8);
  v.items.push_back(named("qgroups", elements(s, Layout::u64, at + sizeof b, count, false)));
  v.items.back().detail = true;
  return v;
}

Value volume(const Scene& s, const uint8_t* b) {
  constexpr uint64_t inherits = 4;
  const uint64_t flags = peek<uint64_t>(b + 16), size = peek<uint64_t>(b + 24);
  Builder f;
  f.add("fd", descriptor(s, static_cast<int32_t>(peek<int64_t>(b))))
      .add("flags", words(Set::btrfs_subvolume, flags, true));
  if (flags & inherits)
    f.add("size", value_unsigned(size))
        .add("qgroup_inherit", inherited(s, peek<uint64_t>(b + 32), size));
  return f.add("name", name_in(b + 56, 4040)).done();
}

Value sent(const Scene& s, const uint8_t* b) {
  const uint64_t count = peek<uint64_t>(b + 8), at = peek<uint64_t>(b + 16);
  Value sources = elements(s, Layout::btrfs_object, at, count, false);
  if (sources.kind == Kind::list) sources.unknown = "program", sources.number = at;  // by -v only
  return Builder()
      .add("send_fd", descriptor(s, static_cast<int32_t>(peek<int64_t>(b))))
      .add("clone_sources_count", value_unsigned(count))
      .add("clone_sources", sources)
      .add("parent_root", number(peek<uint64_t>(b + 24), Set::btrfs_objects))
      .add("flags", words(Set::btrfs_send, peek<uint64_t>(b + 32), true))
      .done();
}

Value replacement(const uint8_t* b) {
  const uint64_t command = peek<uint64_t>(b);
  Builder f;
  f.add("cmd", word(Set::btrfs_replace, command, true));
  if (!command)
    f.add("start", Builder()
                       .add("srcdevid", device_value(peek<uint64_t>(b + 16)))
                       .add("cont_reading_from_srcdev_mode",
                            word(Set::btrfs_replace_mode, peek<uint64_t>(b + 24), true))
                       .add("srcdev_name", name_in(b + 32, 1025))
                       .add("tgtdev_name", name_in(b + 1057, 1025))
                       .done());
  return f.done();
}

Value supported_features(const Scene& s, const uint8_t* b) {
  static constexpr const char* notes[] = {"supported", "safe to set", "safe to clear"};
  Value list = value_of(Kind::list);
  for (size_t i = 0; i < 3; ++i) {
    list.items.push_back(plain(s, Layout::btrfs_features, b + i * 24));
    list.items.back().note = notes[i];
  }
  list.whole = 3;
  return list;
}

Value filesystem(const uint8_t* b) {
  const uint64_t flags = peek<uint64_t>(b + 48);
  Builder f;
  f.add("max_id", value_unsigned(peek<uint64_t>(b)))
      .add("num_devices", value_unsigned(peek<uint64_t>(b + 8)))
      .add("fsid", uuid(b + 16))
      .add("nodesize", value_unsigned(peek<uint32_t>(b + 32)))
      .add("sectorsize", value_unsigned(peek<uint32_t>(b + 36)))
      .add("clone_alignment", value_unsigned(peek<uint32_t>(b + 40)))
      .add("flags", words(Set::btrfs_fs_info, flags, true));
  if (flags & 4) f.add("metadata_uuid", uuid(b + 64));
  return f.done();
}

// What a search found: items of any length one after the other, each with a head.
Value found_items(const Scene& s, const uint8_t* key, uint64_t at, uint64_t bytes) {
  constexpr uint64_t head_bytes = 32;
  const uint32_t count = peek<uint32_t>(key + 64);
  Value list = value_of(Kind::list);
  list.cut = true;  // no more than of a brief list, by -v too
  uint8_t b[head_bytes];
  const auto spent = [] {  // for it and its five fields
    for (int i = 0; i < 6; ++i)
      if (!try_spend_value()) return false;
    return true;
  };
  for (uint64_t offset = 0; list.items.size() < count;) {
    if (offset + head_bytes > bytes || !spent()) break;
    if (!s.memory.whole(b, at + offset, head_bytes, true)) {
      list.rest = at + offset;
      break;
    }
    offset += head_bytes + peek<uint32_t>(b + 28);
    list.items.push_back(Builder()
                             .add("transid", value_unsigned(peek<uint64_t>(b)))
                             .add("objectid", number(peek<uint64_t>(b + 8), Set::btrfs_objects))
                             .add("offset", value_unsigned(peek<uint64_t>(b + 16)))
                             .add("type", number(peek<uint32_t>(b + 24), Set::btrfs_keys, true))
                             .add("len", value_unsigned(peek<uint32_t>(b + 28)))
                             .done());
  }
  list.whole = std::max<uint64_t>(count, list.items.size());
  if (list.rest) list.whole = list.items.size();
  return list;
}

// `sized`: with how much room there was for it.
Value found(const Scene& s, const uint8_t* b, const Place& place, bool sized) {
  constexpr uint64_t key_bytes = 104;
  const uint64_t head = sized ? key_bytes + 8 : key_bytes;
  const uint64_t room = sized ? peek<uint64_t>(b + key_bytes) : 4096 - key_bytes;
  Builder f;
  f.add("key", Builder().add("nr_items", value_unsigned(peek<uint32_t>(b + 64))).done());
  if (sized) f.add("buf_size", value_unsigned(room));
  return f.add("buf", found_items(s, b, place.at + head, room), true).done();
}

Value spaces(const Scene& s, const uint8_t* b, const Place& place) {
  const uint64_t room = peek<uint64_t>(b), count = peek<uint64_t>(b + 8);
  Builder f;
  f.add("total_spaces", value_unsigned(count));
  if (room || !count)
    f.add("spaces", elements(s, Layout::btrfs_space, place.at + 16, count, true), true);
  return f.done();
}

// Counts of faults, by the names that their places have.
Value statistics(const uint8_t* b) {
  constexpr uint64_t most = 126;  // no more find room
  const uint64_t count = peek<uint64_t>(b + 8);
  Value v = Builder()
                .add("nr_items", value_unsigned(count))
                .add("flags", words(Set::btrfs_stats, peek<uint64_t>(b + 16), true))
                .done();
  Value list = value_of(Kind::list);
  for (uint64_t i = 0; i < std::min(count, most); ++i)
    list.items.push_back(
        at_place(Set::btrfs_stat_values, i, value_unsigned(peek<uint64_t>(b + 24 + i * 8))));
  list.whole = count;
  v.items.push_back(std::move(list));
  return v;
}

}  // namespace

Value btrfs_struct(const Scene& s, Layout layout, const uint8_t* b, const Place& place) {
  switch (layout) {
    case Layout::btrfs_number: return number(peek<uint64_t>(b));
    case Layout::btrfs_object: return number(peek<uint64_t>(b), Set::btrfs_objects);
    case Layout::btrfs_uuid: return uuid(b);
    case Layout::btrfs_time: return time_of(b);
    case Layout::btrfs_key: return search_key(b);
    case Layout::btrfs_search: return Builder().add("key", search_key(b)).done();
    case Layout::btrfs_subvolume_flags: return words(Set::btrfs_subvolume, peek<uint64_t>(b), true);
    case Layout::btrfs_volume2: return volume(s, b);
    case Layout::btrfs_balance: return balance(s, b);
    case Layout::btrfs_sent: return sent(s, b);
    case Layout::btrfs_replace: return replacement(b);
    case Layout::btrfs_replaced:
      return Builder()
          .add("result", word(Set::btrfs_replace_result, peek<uint64_t>(b + 8), true))
          .done();
    case Layout::btrfs_three_features: return supported_features(s, b);
    case Layout::btrfs_filesystem: return filesystem(b);
    case Layout::btrfs_found: return found(s, b, place, false);
    case Layout::btrfs_found2: return found(s, b, place, true);
    case Layout::btrfs_spaces: return spaces(s, b, place);
    case Layout::btrfs_stats: return statistics(b);
    default: return {};
  }
}

}  // namespace sctrace::read
