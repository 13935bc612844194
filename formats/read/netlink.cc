#include "formats/read/netlink.h"

#include <algorithm>

#include "formats/text.h"

namespace sctrace::read::netlink {

using arch::Layout;
using arch::Set;

namespace {

enum Protocol {
  route,
  sock_diag = 4,
  xfrm = 6,
  selinux,
  audit = 9,
  netfilter = 12,
  uevent = 15,
  generic_families
};
constexpr uint32_t header_bytes = 16;
constexpr uint16_t error_type = 2, done_type = 3, first_own_type = 16;

// The fixed part of a message and the attributes behind it.
struct Head {
  uint16_t first;  // type of the message, or the family that it is about
  Layout layout;
  Attributes table;
};
using enum Layout;
constexpr Head route_heads[] = {{0x10, nl_head_link, Attributes::link},
                                {0x14, nl_head_addr, Attributes::addr},
                                {0x18, nl_head_route, Attributes::route},
                                {0x1c, nl_head_neigh, Attributes::neigh},
                                {0x20, nl_head_rule, Attributes::rule},
                                {0x24, nl_head_tc, Attributes::tc},
                                {0x28, nl_head_tc, Attributes::tc},
                                {0x2c, nl_head_tc, Attributes::tc},
                                {0x30, nl_head_action, Attributes::action},
                                {0x38, nl_head_addr, Attributes::addr},
                                {0x3c, nl_head_addr, Attributes::addr},
                                {0x40, nl_head_neightbl, Attributes::neightbl},
                                {0x48, nl_head_addrlabel, Attributes::addrlabel},
                                {0x4c, nl_head_dcb, Attributes::dcb},
                                {0x50, nl_head_netconf, Attributes::netconf},
                                {0x54, nl_head_mdb, Attributes::mdb},
                                {0x58, nl_head_nsid, Attributes::nsid},
                                {0x5c, nl_head_stats, Attributes::stats},
                                {0x64, nl_head_tc, Attributes::tc},
                                {0x68, nl_head_nexthop, Attributes::nexthop}};
constexpr Head asked[] = {{1, nl_head_unix_diag_req, Attributes::none},
                          {2, nl_head_inet_diag_req_v2, Attributes::inet_diag_req_v2},
                          {10, nl_head_inet_diag_req_v2, Attributes::inet_diag_req_v2},
                          {16, nl_head_netlink_diag_req, Attributes::none},
                          {17, nl_head_packet_diag_req, Attributes::none},
                          {43, nl_head_smc_diag_req, Attributes::none}};
constexpr Head answered[] = {{1, nl_head_unix_diag_msg, Attributes::unix_diag_msg},
                             {2, nl_head_inet_diag_msg, Attributes::inet_diag_msg},
                             {10, nl_head_inet_diag_msg, Attributes::inet_diag_msg},
                             {16, nl_head_netlink_diag_msg, Attributes::netlink_diag_msg},
                             {17, nl_head_packet_diag_msg, Attributes::packet_diag_msg},
                             {43, nl_head_smc_diag_msg, Attributes::smc_diag_msg}};
constexpr Head asked_before{0, nl_head_inet_diag_req, Attributes::inet_diag_req_v2};

template <size_t n>
const Head* find(const Head (&heads)[n], uint32_t first) {
  for (const Head& h : heads)
    if (h.first == first) return &h;
  return nullptr;
}

struct Header {
  uint32_t length;
  uint16_t type, flags;
  uint32_t sequence, port;
};
static_assert(sizeof(Header) == header_bytes);

// The sets of a netfilter subsystem's messages.
Set netfilter_types(uint32_t subsystem) {
  static constexpr Set sets[] = {Set::nl_type_nf_batch, Set::nl_type_nf_1,  Set::nl_type_nf_2,
                                 Set::nl_type_nf_3,     Set::nl_type_nf_4,  Set::nl_type_nf_5,
                                 Set::nl_type_nf_6,     Set::nl_type_nf_7,  Set::nl_type_nf_8,
                                 Set::nl_type_nf_9,     Set::nl_type_nf_10, Set::nl_type_nf_11,
                                 Set::nl_type_nf_12};
  return subsystem < sizeof sets / sizeof *sets ? sets[subsystem] : Set::none;
}

Value netfilter_type(uint16_t type) {
  const uint32_t subsystem = type >> 8, what = type & 255;
  if (!subsystem && word_text(Set::nl_type_nf_batch, what))
    return word(Set::nl_type_nf_batch, what);
  Value high = value_of(Value::Kind::shifted), both = value_of(Value::Kind::either);
  high.number = 8;
  high.items = {word(Set::nl_type_nfnl_subsys, subsystem)};
  both.items = {high, word(subsystem ? netfilter_types(subsystem) : Set::none, what)};
  return both;
}

Value type_of(int protocol, uint16_t type) {
  if (type < first_own_type) return word(Set::nl_type_nlmsg, type);
  switch (protocol) {
    case route: return word(Set::nl_type_rtm, type);
    case sock_diag: return word(Set::nl_type_sock_diag_types, type);
    case xfrm: return word(Set::nl_type_xfrm_msg, type);
    case selinux: return word(Set::nl_type_selnl_msg, type);
    case audit: return word(Set::nl_type_audit, type);
    case netfilter: return netfilter_type(type);
    case generic_families: return word(Set::nl_type_generic, type);
    default: return word(Set::nl_type_nlmsg, type);
  }
}

// What the upper bits of the flags mean depends on whether something is asked, made or deleted.
Set verb(const char* type) {
  const std::string_view name = type ? type : "";
  const auto is = [&](const char* part) { return name.find(part) != name.npos; };
  if (is("_GET")) return Set::nlm_get_flags;
  if (is("_NEW")) return Set::nlm_new_flags;
  if (is("_DEL")) return Set::nlm_delete_flags;
  return Set::nlm_flags;
}

Set flags_of(int protocol, uint16_t type) {
  if (type == error_type) return Set::nlm_error_flags;
  if (type < first_own_type) return Set::nlm_flags;
  static constexpr Set of_route[] = {Set::nlm_new_flags, Set::nlm_delete_flags, Set::nlm_get_flags,
                                     Set::nlm_flags};
  switch (protocol) {
    case route: return type == 0x31 ? Set::nlm_get_flags : of_route[type & 3];
    case sock_diag: return Set::nlm_get_flags;
    case xfrm: return type == 0x28 ? Set::nlm_flags : verb(word_text(Set::nl_type_xfrm_msg, type));
    case netfilter: return verb(word_text(netfilter_types(type >> 8), type & 255u));
    default: return Set::nlm_flags;
  }
}

Value header_value(int protocol, const Header& h) {
  return Builder()
      .add("nlmsg_len", value_unsigned(h.length))
      .add("nlmsg_type", type_of(protocol, h.type))
      .add("nlmsg_flags", words(flags_of(protocol, h.type), h.flags))
      .add("nlmsg_seq", value_unsigned(h.sequence))
      .add("nlmsg_pid", value_unsigned(h.port))
      .done();
}

std::vector<Value> both(Value head, Message& m, Attributes table, Span behind) {
  std::vector<Value> all = {std::move(head)};
  if (!behind.bytes) return all;
  all.push_back(table == Attributes::none ? hex_bytes(m, behind) : attributes(m, table, behind));
  return all;
}

// A struct whose first byte, the family, is shown even if the rest of it did not come.
std::vector<Value> headed(Message& m, const Head& head, Span where) {
  const uint64_t size = bytes_of(head.layout);
  std::string b(size, '\0');
  const uint64_t known = m.s.memory.copy(b.data(), where.at, std::min(size, where.bytes), m.out);
  if (!known) return {value_address(where.at)};
  m.family = static_cast<uint8_t>(b[0]);
  Value whole = plain(m.s, head.layout, reinterpret_cast<const uint8_t*>(b.data()));
  if (whole.items.size() > 1 && (where.bytes < size || known < size)) {
    whole.items.resize(1);
    if (where.bytes < size)
      whole.numbered = true;
    else
      whole.items.push_back(value_address(where.at + 1));
    return {whole};
  }
  const uint64_t behind = whole.items.size() > 1 ? (size + 3) & ~3ull : 4;
  return both(whole, m, head.table, where.from(behind));
}

// The family, and the rest as bytes: what is left when nothing else is known.
std::vector<Value> of_family(const Message& m, Span where) {
  uint8_t family = 0;
  if (!m.s.memory.whole(&family, where.at, 1, m.out)) return {value_address(where.at)};
  Builder f;
  f.add("family", word(Set::address_families, family));
  if (where.bytes > 1) f.add("data", hex_bytes(m, where.from(1)));
  return {f.done()};
}

// Of multicast routers: their families are none of sockets.
std::vector<Value> cache_report(Message& m, Span where) {
  uint8_t family = 0;
  if (!m.s.memory.whole(&family, where.at, 1, m.out)) return {value_address(where.at)};
  Value name = word(Set::nl_rtnl_family, family);
  if (name.text.empty()) name.text = word(Set::address_families, family).text;
  const Attributes table = family == 0x80   ? Attributes::ipmra
                           : family == 0x81 ? Attributes::ip6mra
                                            : Attributes::none;
  return both(Builder().add("rtgen_family", name).done(), m, table, where.from(4));
}

std::vector<Value> of_route(Message& m, uint16_t type, Span where) {
  if (type == 0x60) return cache_report(m, where);
  const Head* head = find(route_heads, type & ~3u);
  if (!head || !word_text(Set::nl_type_rtm, type)) return of_family(m, where);
  uint8_t family = 0;
  m.s.memory.copy(&family, where.at, 1, m.out);
  // Bridges are asked for their neighbours in the words of links.
  if (type == 0x1e && family == 7 && where.bytes >= 16) head = find(route_heads, 0x10);
  return headed(m, *head, where);
}

std::vector<Value> of_sockets(Message& m, const Header& h, Span where) {
  uint8_t family = 0;
  if (!m.s.memory.whole(&family, where.at, 1, m.out)) return {value_address(where.at)};
  const bool asks = h.flags & 1;
  const bool before = (h.type == 0x12 || h.type == 0x13) && (family == 2 || family == 10);
  const Head* head = find(answered, family);
  if (asks) head = before ? &asked_before : find(asked, family);
  if (!head || where.bytes < 2) return of_family(m, where);
  std::vector<Value> all = headed(m, *head, where);
  if (asks && head->table == Attributes::none) all.resize(1);
  return all;
}

Value error_value(int32_t code) {
  Value v = value_of(Value::Kind::word);
  v.number = static_cast<uint64_t>(static_cast<int64_t>(code));
  const bool negated = code < 0 && code != INT32_MIN;  // which has no positive twin
  if (negated && !errno_name(-code).empty()) v.text = '-' + errno_name(-code);
  return v;
}

std::vector<Value> of_error(Message& m, const Header& h, Span where) {
  int32_t code = 0;
  Header inner{};
  const Span rest = where.from(4);
  if (where.bytes < 4 + header_bytes) return {hex_bytes(m, where)};
  if (!m.s.memory.whole(&code, where.at, 4, m.out) ||
      !m.s.memory.whole(&inner, rest.at, header_bytes, m.out))
    return {value_address(where.at)};
  const uint64_t kept = h.flags & 0x100 ? header_bytes : std::max(inner.length, header_bytes);
  const uint64_t bytes = std::min<uint64_t>((kept + 3) & ~3ull, rest.bytes);
  Builder f;
  f.add("error", error_value(code));
  f.add("msg", message(m, {rest.at, bytes}));
  if (bytes == rest.bytes) return {f.done()};
  Value list = value_of(Value::Kind::list);
  list.items = {f.done(), attributes(m, Attributes::error, rest.from(bytes))};
  list.whole = 2;
  return {list};
}

// The tables' own number stands in either order of its bytes: old programs had it wrong.
Value resource(uint8_t subsystem, uint16_t as_written) {
  constexpr uint8_t tables = 10;  // NFNL_SUBSYS_NFTABLES
  const uint16_t number = __builtin_bswap16(as_written);
  Value v = value_macro("htons", {value_unsigned(number)});
  if (subsystem != tables || (number != tables && as_written != tables)) return v;
  Value name = word(Set::nl_type_nfnl_subsys, tables);
  name.number = as_written;
  if (number == tables) name.text = "htons(" + name.text + ')';
  return name;
}

std::vector<Value> of_subsystem(Message& m, uint16_t type, Span where) {
  uint8_t b[4];
  if (!m.s.memory.whole(b, where.at, sizeof b, m.out)) return {value_address(where.at)};
  Value head = plain(m.s, nl_head_nfgen, b);
  head.items.back() =
      named("res_id", resource(static_cast<uint8_t>(type >> 8), peek<uint16_t>(b + 2)));
  const bool batch = type == 0x10 || type == 0x11;  // begins or ends one
  return both(head, m, batch ? Attributes::none : Attributes::unnamed, where.from(sizeof b));
}

std::vector<Value> payload(Message& m, const Header& h, Span where) {
  if (m.depth >= deepest) return {hex_bytes(m, where)};
  if (h.type == error_type) return of_error(m, h, where);
  if (h.type == done_type && where.bytes == 4) return {held(m, holding::s32, where)};
  if (h.type < first_own_type) return {hex_bytes(m, where)};
  switch (m.protocol) {
    case route: return of_route(m, h.type, where);
    case sock_diag: return of_sockets(m, h, where);
    case netfilter:
      if (where.bytes < 4) break;
      return of_subsystem(m, h.type, where);
    case selinux:
      if (h.type == 16) return {structure_of(m, nl_selnl_enforce, 4, where)};
      if (h.type == 17) return {structure_of(m, nl_selnl_policy, 4, where)};
      break;
    default: break;
  }
  return {hex_bytes(m, where)};
}

// Device events begin with a header of udev's own, if it was udev that sent them.
Value event(const Scene& s, Span where, bool out) {
  uint8_t b[40];
  if (where.bytes < sizeof b || !s.memory.whole(b, where.at, sizeof b, out) ||
      std::string_view(reinterpret_cast<const char*>(b), 8) != std::string_view("libudev\0", 8) ||
      peek<uint32_t>(b + 8) != __builtin_bswap32(0xfeedcafe))
    return text_at(s, where.at, where.bytes, out);
  Value head = plain(s, nl_udev, b);
  if (where.bytes == sizeof b) return head;
  Value list = value_of(Value::Kind::list);
  list.items = {head, text_at(s, where.at + sizeof b, where.bytes - sizeof b, out)};
  list.whole = 2;
  return list;
}

}  // namespace

Value message(Message& m, Span where) {
  Header h;
  if (where.bytes < header_bytes) return hex_bytes(m, where);
  if (!m.s.memory.whole(&h, where.at, header_bytes, m.out)) return value_address(where.at);
  Value head = header_value(m.protocol, h);
  const uint64_t length = std::min<uint64_t>(h.length, where.bytes);
  if (length <= header_bytes) return head;
  ++m.depth;
  Value list = value_of(Value::Kind::list);
  list.items = {head};
  for (Value& v : payload(m, h, {where.at + header_bytes, length - header_bytes}))
    list.items.push_back(std::move(v));
  list.whole = list.items.size();
  --m.depth;
  return list;
}

Value buffer(const Scene& s, int protocol, Span where, bool out) {
  if (protocol == uevent) return event(s, where, out);
  Value list = value_of(Value::Kind::list);
  list.bounded = true;
  while (where.bytes && list.items.size() < longest) {
    Header h{};
    const bool known =
        where.bytes >= header_bytes && s.memory.whole(&h, where.at, header_bytes, out);
    if (!known && where.bytes >= header_bytes && !list.items.empty()) {
      list.rest = where.at;
      break;
    }
    Message m{s, out, protocol};
    list.items.push_back(message(m, where));
    if (!known || h.length < header_bytes) break;
    where = where.from((uint64_t{h.length} + 3) & ~3ull);
  }
  list.whole = list.items.size() + (list.items.size() == longest);
  if (list.items.size() != 1 || list.rest) return list;
  Value only = std::move(list.items[0]);
  return only;
}

}  // namespace sctrace::read::netlink

namespace sctrace::read {

Value payload_at(const Scene& s, uint64_t at, uint64_t n, bool out) {
  if (s.netlink < 0 || !at || !n) return text_at(s, at, n, out);
  return netlink::buffer(s, s.netlink, {at, n}, out);
}

}  // namespace sctrace::read
