// Attributes of what sock_diag tells of sockets, and of what it is asked.
#include <algorithm>

#include "formats/read/netlink.h"

namespace sctrace::read::netlink {

using arch::Layout;
using arch::Set;

namespace {

// In hex and whole, whatever length texts are cut at.
Value whole_bytes(const uint8_t* at, size_t n) {
  Value v = bare_bytes(at, n);
  v.path = true;
  return v;
}

// Their number too in every style: the words are in no header that programs may include.
Value numbered(Value v) {
  v.numbered = true;
  return v;
}

Value shutdown(const Message& m, Span where) {
  uint8_t how = 0;
  if (!where.bytes || where.bytes > 8) return hex_bytes(m, where);
  if (!m.s.memory.whole(&how, where.at, 1, m.out)) return value_address(where.at);
  return numbered(words(Set::nl_shutdown, how));
}

Value unix_name(const Message& m, Span where) {
  std::string all = m.s.memory.bytes(where.at, where.bytes, m.out);
  if (all.empty() && where.bytes) return value_address(where.at);
  const bool abstract = all[0] == '\0';
  Value v = value_text(abstract ? all.substr(1) : all.substr(0, all.find('\0')));
  if (abstract) v.unknown = "@";
  v.cut = !abstract && all.find('\0') == all.npos;
  if (all.size() < where.bytes) v.rest = where.at;
  return v;
}

Value signature(const uint8_t* b) {
  const uint8_t family = b[0];
  Builder f;
  f.add("tcpm_family", word(Set::address_families, family))
      .add("tcpm_prefixlen", value_unsigned(b[1]))
      .add("tcpm_keylen", value_unsigned(peek<uint16_t>(b + 2)));
  if (family == 10)
    f.add("", inet6_value(b + 4, "&tcpm_addr"));
  else
    f.add("tcpm_addr", family == 2 ? inet4_value(b + 4) : whole_bytes(b + 4, 16));
  return f.add("tcpm_key", whole_bytes(b + 20, std::min<size_t>(peek<uint16_t>(b + 2), 80))).done();
}

Value multicast(const uint8_t* b) {
  const uint16_t length = peek<uint16_t>(b + 10);
  return Builder()
      .add("pdmc_index", interface_value(peek<uint32_t>(b)))
      .add("pdmc_count", value_unsigned(peek<uint32_t>(b + 4)))
      .add("pdmc_type", value_unsigned(peek<uint16_t>(b + 8)))
      .add("pdmc_alen", value_unsigned(length))
      .add("pdmc_addr", whole_bytes(b + 12, std::min<size_t>(length, 32)))
      .done();
}

Value host_condition(Message& m, Span where) {
  constexpr uint64_t head_bytes = 8;
  Value v = structure_of(m, Layout::nl_inet_diag_hostcond, head_bytes, where);
  if (v.kind != Value::Kind::structure || where.bytes == head_bytes) return v;
  const Span rest = where.from(head_bytes);
  const uint64_t family = v.items[0].number, size = family == 2 ? 4 : family == 10 ? 16 : 0;
  uint8_t b[16];
  Value address = hex_bytes(m, rest);
  const char* name = "addr";
  if (size && rest.bytes >= size) {
    address = value_address(rest.at);
    if (m.s.memory.whole(b, rest.at, size, m.out)) {
      address = family == 2 ? inet4_value(b) : inet6_value(b, "&addr");
      if (family == 10) name = "";
    }
  }
  v.items.push_back(named(name, address));
  return v;
}

Value operand(Message& m, uint64_t code, Span where) {
  uint32_t index = 0;
  switch (code) {
    case 2:
    case 3:
    case 4:
    case 5: return structure_of(m, Layout::nl_inet_diag_req_bytecode, 4, where);  // of a port
    case 7:
    case 8: return host_condition(m, where);
    case 9:
      if (where.bytes < 4) break;
      if (!m.s.memory.whole(&index, where.at, 4, m.out)) return value_address(where.at);
      return interface_value(index);
    case 10: return structure_of(m, Layout::nl_inet_diag_markcond, 8, where);
    default: break;
  }
  return hex_bytes(m, where);
}

// The program that chooses sockets: its first step, and what that looks at.
Value chosen_by(Message& m, Span where) {
  Value step = structure_of(m, Layout::nl_inet_diag_req_bytecode, 4, where);
  if (step.kind != Value::Kind::structure || where.bytes == 4) return step;
  Value what = operand(m, step.items[0].number, where.from(4));
  return several({std::move(step), std::move(what)});
}

Value socket_options(const Message& m, Span where) {
  static constexpr const char* bits[] = {"recverr",         "is_icsk",      "freebind",
                                         "hdrincl",         "mc_loop",      "transparent",
                                         "mc_all",          "nodefrag",     "bind_address_no_port",
                                         "recverr_rfc4884", "defer_connect"};
  constexpr size_t known = sizeof bits / sizeof *bits;
  uint16_t all = 0;
  if (where.bytes < 2) return hex_bytes(m, where);
  if (!m.s.memory.whole(&all, where.at, 2, m.out)) return value_address(where.at);
  const auto add = [](Value& v, const char* name, Value field) {
    v.items.push_back(named(name, std::move(field)));
    v.items.back().detail = v.items.back().more = !v.items.back().number;  // -v shows zeros too
  };
  Value v = value_of(Value::Kind::structure);
  for (size_t i = 0; i < known; ++i) add(v, bits[i], value_unsigned(all >> i & 1u));
  Value unused = value_hex(all >> known);
  unused.note = "bits 3..8";
  add(v, "unused", unused);
  if (where.bytes == 2) return v;
  const std::string rest = m.s.memory.bytes(where.at + 2, where.bytes - 2, m.out);
  if (rest.find_first_not_of('\0') == rest.npos) return v;
  Value behind = value_text(rest);
  behind.numbered = true;
  behind.number = 2;
  return several({std::move(v), std::move(behind)});
}

Value link_group(const Message& m, Span where) {
  uint8_t b[147];
  if (where.bytes < sizeof b) return hex_bytes(m, where);
  if (!m.s.memory.whole(b, where.at, sizeof b, m.out)) return value_address(where.at);
  Value links = value_of(Value::Kind::list);
  links.items = {plain(m.s, Layout::nl_smc_diag_linkinfo, b)};
  links.whole = 1;
  return Builder().add("lnk", links).add("role", word(Set::nl_smc_2, b[146])).done();
}

Value fallback(const Message& m, Span where) {
  Value v = structure_of(m, Layout::nl_smc_diag_fallback, 8, where);
  for (Value& field : v.items) field.numbered = true;
  return v;
}

}  // namespace

Value of_socket(Message& m, Special what, Span where) {
  switch (what) {
    case Special::shutdown: return shutdown(m, where);
    case Special::unix_name: return unix_name(m, where);
    case Special::filter:
      return elements_of(m, where, 8,
                         [](uint64_t, const uint8_t* b) { return filter_step(b, false); });
    case Special::sockaddrs:
      return elements_of(m, where, 128,
                         [&](uint64_t, const uint8_t* b) { return sockaddr_value(m.s, b, 128); });
    case Special::md5_signatures:
      return elements_of(m, where, 100, [](uint64_t, const uint8_t* b) { return signature(b); });
    case Special::multicast_list:
      return elements_of(m, where, 44, [](uint64_t, const uint8_t* b) { return multicast(b); });
    case Special::socket_filter: return chosen_by(m, where);
    case Special::socket_options: return socket_options(m, where);
    case Special::link_group: return link_group(m, where);
    case Special::fallback: return fallback(m, where);
    default: return hex_bytes(m, where);
  }
}

}  // namespace sctrace::read::netlink
