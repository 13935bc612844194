#include <algorithm>

#include "formats/read/netlink.h"

namespace sctrace::read::netlink {

using arch::Layout;
using arch::Set;

namespace {

// A struct, and behind it attributes of its own.
Value with_attributes(Message& m, Value head, Attributes table, Span behind) {
  if (!behind.bytes) return head;
  return several({std::move(head), attributes(m, table, behind)});
}

// Next hops: each with a length of its own, in which lie its attributes.
Value multipath(Message& m, Span where) {
  if (where.bytes < 8) return hex_bytes(m, where);
  if (m.depth >= deepest) return hex_bytes(m, where);
  Value list = value_of(Value::Kind::list);
  bool brackets = false;
  while (where.bytes >= 8 && list.items.size() < longest) {
    uint16_t length = 0;
    if (!m.s.memory.whole(&length, where.at, 2, m.out)) {
      if (list.items.empty()) return value_address(where.at);
      list.rest = where.at;
      break;
    }
    Value hop = structure_of(m, Layout::nl_rtnexthop, 8, where);
    const uint64_t inside = std::min<uint64_t>(length, where.bytes);
    brackets |= length < where.bytes;
    if (inside > 8) {
      Value both = value_of(Value::Kind::list);
      both.items = {hop, attributes(m, Attributes::route, {where.at + 8, inside - 8})};
      both.whole = 2;
      hop = both;
    }
    list.items.push_back(hop);
    if (length < 8) break;
    where = where.from((length + 3u) & ~3u);
  }
  list.whole = list.items.size();
  if (list.items.size() == 1 && !list.rest && !brackets) {
    Value only = std::move(list.items[0]);
    return only;
  }
  return list;
}

Value via(Message& m, Span where) {
  uint16_t family = 0;
  if (where.bytes < 2) return hex_bytes(m, where);
  if (!m.s.memory.whole(&family, where.at, 2, m.out)) return value_address(where.at);
  Builder f;
  f.add("rtvia_family", word(Set::address_families, family));
  const Span rest = where.from(2);
  if (!rest.bytes) return f.done();
  const uint8_t outer = m.family;
  m.family = static_cast<uint8_t>(family < 256 ? family : 0);
  Value address = held(m, holding::family_address, rest);
  if (m.family == 10 && address.kind == Value::Kind::macro) {
    Value where_to = value_of(Value::Kind::word);
    where_to.text = "&rtvia_addr";
    address.items.push_back(where_to);
    f.add("", address);
  } else
    f.add("rtvia_addr", address);
  m.family = outer;
  return f.done();
}

// Whether the address is of IPv4 or IPv6 is said behind it.
Value group_entry(Message& m, Span where) {
  Value v = structure_of(m, Layout::nl_mdba_mdb_entry_info, 28, where);
  uint8_t b[28];
  if (v.kind != Value::Kind::structure || !m.s.memory.whole(b, where.at, sizeof b, m.out)) return v;
  const uint16_t protocol = __builtin_bswap16(peek<uint16_t>(b + 24));
  Builder address;
  address.add("u", protocol == 2 ? inet4_value(b + 8) : bare_bytes(b + 8, 16));
  if (protocol == 10) {
    Builder of6;
    of6.add("", inet6_value(b + 8, "&u"));
    address = of6;
  }
  address.add("proto", value_macro("htons", {word(Set::address_families, protocol)}));
  v.items.push_back(named("addr", address.done()));
  return with_attributes(m, v, Attributes::group_entry, where.from(28));
}

Value router_port(Message& m, Span where) {
  if (where.bytes < 4) return hex_bytes(m, where);
  uint32_t index = 0;
  if (!m.s.memory.whole(&index, where.at, 4, m.out)) return value_address(where.at);
  return with_attributes(m, interface_value(index), Attributes::router_port, where.from(4));
}

// The kernel's own struct has a hole that nobody agrees on: both lengths are seen.
Value port_guid(const Message& m, Span where) {
  if (where.bytes == 12) return structure_of(m, Layout::nl_ifla_vf_ib_node_guid, 12, where);
  return where.bytes == 16 ? structure_of(m, Layout::nl_ifla_vf_guid_aligned, 16, where)
                           : hex_bytes(m, where);
}

}  // namespace

Value special(Message& m, Special what, Span where) {
  switch (what) {
    case Special::multipath: return multipath(m, where);
    case Special::via: return via(m, where);
    case Special::protocol_info:
      if (m.family == 7) return attributes(m, Attributes::brport, where);
      if (m.family == 10) return attributes(m, Attributes::link_inet6, where);
      break;
    case Special::family_spec:
      return attributes(m, m.family == 7 ? Attributes::af_spec_bridge : Attributes::ifla_af_spec,
                        where);
    case Special::info_kind:
    case Special::slave_kind: {
      Value v = held(m, holding::text, where);
      (what == Special::info_kind ? m.kind : m.slave_kind) = v.cut ? std::string() : v.text;
      return v;
    }
    case Special::info_data:
      if (m.kind == "bridge") return attributes(m, Attributes::bridge, where);
      if (m.kind == "tun") return attributes(m, Attributes::tun, where);
      break;
    case Special::info_xstats:
      if (m.kind == "can") return structure_of(m, Layout::nl_can_stats, 24, where);
      break;
    case Special::slave_data:
      if (m.slave_kind == "bridge") return attributes(m, Attributes::brport, where);
      break;
    case Special::router_port: return router_port(m, where);
    case Special::group_entry: return group_entry(m, where);
    case Special::port_guid: return port_guid(m, where);
    case Special::none: break;
    default: return of_socket(m, what, where);
  }
  return hex_bytes(m, where);
}

}  // namespace sctrace::read::netlink
