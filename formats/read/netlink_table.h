// The words of arch/netlink.def, and its attributes as one array: what a type of a table holds.
// Only netlink*.cc look at it.
#pragma once
#include "arch/table.h"

namespace sctrace::read::netlink {

enum class Attributes : uint8_t {
#define ATTRIBUTES(table, set) table,
#define ATTRIBUTE(type, ...)
#define END_ATTRIBUTES
#include "arch/netlink.def"
#undef ATTRIBUTES
#undef ATTRIBUTE
#undef END_ATTRIBUTES
};

// Attributes that need code: what they hold depends on another one, or on the message's family.
enum class Special : uint8_t {
  none,
  multipath,
  via,
  protocol_info,
  family_spec,
  info_kind,
  slave_kind,
  info_data,
  info_xstats,
  slave_data,
  router_port,
  group_entry,
  unix_name,
  filter,
  sockaddrs,
  multicast_list,
  md5_signatures,
  port_guid,
  // of sockets: netlink_diag.cc
  shutdown,
  socket_filter,
  socket_options,
  link_group,
  fallback
};

struct Holds {
  enum class As : uint8_t {
    bytes,
    text,
    value,       // a scalar of `kind`, `least` bytes wide; no more than `most`
    wide_value,  // a scalar as wide as it comes, up to 8 bytes
    integer,     // the same, where it is as wide as an integer; else bytes
    member,      // a field in network order, or an address
    address,     // of the message's family
    hardware,    // as long as it comes, up to 32 bytes
    ticks,       // hundredths of a second, as wide as they come
    nested,
    structure,
    structures,
    array,
    indexed,  // an array whose places have names
    special
  };
  As as = As::bytes;
  arch::Kind kind = arch::Kind::none;
  arch::Set set = arch::Set::none;
  arch::Layout layout = arch::Layout::none;
  uint8_t least = 0, most = 0;  // bytes; most 0: any
  Attributes table{};
  Special special = Special::none;
};

namespace holding {
using arch::Kind;
using arch::Layout;
using arch::Set;
using As = Holds::As;
constexpr Holds scalar(Kind k, uint8_t bytes, Set set = Set::none, uint8_t most = 0) {
  return {.as = As::value, .kind = k, .set = set, .least = bytes, .most = most};
}
inline constexpr Holds text{.as = As::text}, family_address{.as = As::address},
    hardware{.as = As::hardware}, ticks{.as = As::ticks};
inline constexpr Holds u8 = scalar(Kind::unsigned_number, 1),
                       u16 = scalar(Kind::unsigned_number, 2),
                       u32 = scalar(Kind::unsigned_number, 4), u64 = scalar(Kind::long_unsigned, 8),
                       s8 = scalar(Kind::number, 1), s32 = scalar(Kind::number, 4),
                       x8 = scalar(Kind::hexadecimal, 1), x16 = scalar(Kind::hexadecimal, 2),
                       x32 = scalar(Kind::hexadecimal, 4), x64 = scalar(Kind::long_hexadecimal, 8),
                       interface = scalar(Kind::interface, 4), user = scalar(Kind::uid, 4),
                       group = scalar(Kind::gid, 4);
constexpr Holds member(Kind k, uint8_t bytes, Set set = Set::none) {
  return {.as = As::member, .kind = k, .set = set, .least = bytes};
}
inline constexpr Holds network16 = member(Kind::network, 2), network32 = member(Kind::network, 4),
                       network64 = member(Kind::network, 8), inet4 = member(Kind::inet4, 4),
                       inet6 = member(Kind::inet6, 16);
inline constexpr Holds descriptor = scalar(Kind::fd, 4),
                       any_hexadecimal{.as = As::integer, .kind = Kind::long_hexadecimal};
constexpr Holds network_choice(Set s) { return member(Kind::network_choice, 2, s); }
constexpr Holds choice(uint8_t bytes, uint8_t most, Set s) {
  return scalar(Kind::choice, bytes, s, most);
}
constexpr Holds flags(uint8_t bytes, uint8_t most, Set s) {
  return scalar(Kind::flags, bytes, s, most);
}
constexpr Holds wide_choice(Set s) {
  return {.as = As::wide_value, .kind = Kind::choice, .set = s};
}
constexpr Holds nested(Attributes t) { return {.as = As::nested, .table = t}; }
constexpr Holds structure(Layout l, uint8_t least) {
  return {.as = As::structure, .layout = l, .least = least};
}
// The same with bytes behind it that are shown too.
constexpr Holds structure_and_rest(Layout l, uint8_t bytes) {
  return {.as = As::structure, .layout = l, .least = bytes, .most = bytes};
}
constexpr Holds structures(Layout l, uint8_t bytes) {
  return {.as = As::structures, .layout = l, .least = bytes};
}
constexpr Holds array(Kind k, uint8_t bytes) {
  return {.as = As::array, .kind = k, .least = bytes};
}
constexpr Holds indexed(Kind k, uint8_t bytes, Set places) {
  return {.as = As::indexed, .kind = k, .set = places, .least = bytes};
}
constexpr Holds special(Special s) { return {.as = As::special, .special = s}; }
}  // namespace holding

// What the attribute `type` of a table holds: bytes, if the table has no line for it.
const Holds& holds(Attributes table, uint32_t type);
arch::Set types(Attributes table);  // the set that names its types

}  // namespace sctrace::read::netlink
