#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

Value inet4_value(const uint8_t* at) {
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, at, text, sizeof text);
  Value address = value_text(text);
  address.path = true;  // never shortened
  return of_bytes(value_macro("inet_addr", {address}), at, 4);
}

// inet_pton(AF_INET6, "::1", &where): a whole field, without a name of its own.
Value inet6_value(const uint8_t* at, const char* where) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, at, text, sizeof text);
  Value target = value_of(Kind::word), family = target;
  target.text = where;
  family.text = "AF_INET6";
  family.base = Value::Base::hexadecimal;
  family.number = 10;
  Value address = value_text(text);
  address.path = true;  // never shortened
  return of_bytes(value_macro("inet_pton", {family, address, target}), at, 16);
}

Value interface_value(uint32_t index) {
  char name[IF_NAMESIZE];
  if (!index || !if_indextoname(index, name)) return value_unsigned(index);
  Value v = value_macro("if_nametoindex", {value_text(name)});
  v.numbered = true;  // by its number where no names are asked for
  v.base = Value::Base::unsigned_decimal;
  v.number = index;
  return v;
}

Value hardware_address(const uint8_t* at, size_t n) {
  Value v = value_of(Kind::word),
        raw = value_text(std::string(reinterpret_cast<const char*>(at), n));
  raw.bare = true;
  for (size_t i = 0; i < n; ++i) v.text += fmt::format("{}{:02x}", i ? ":" : "", at[i]);
  v.items = {raw};  // a word whose plain form is a text
  return v;
}

namespace {

Value network_short(const char* macro, const uint8_t* at) {
  return of_bytes(value_macro(macro, {value_unsigned(ntohs(peek<uint16_t>(at)))}), at, 2);
}
Value network_long(const uint8_t* at) {
  return of_bytes(value_macro("htonl", {value_unsigned(ntohl(peek<uint32_t>(at)))}), at, 4);
}

void add_unix(Value& v, const uint8_t* b, size_t n) {
  if (n <= 2) return;
  const char* path = reinterpret_cast<const char*>(b) + 2;
  const bool abstract = !*path && n > 3;
  const size_t room = std::min<size_t>(n, 110) - 2;
  Value text = abstract ? value_text(std::string(path + 1, room - 1))
                        : value_text(std::string(path, strnlen(path, room)));
  text.path = true;
  if (abstract) text.unknown = "@";
  v.items.push_back(named("sun_path", text));
}

void add_packet(Value& v, const uint8_t* b, size_t n) {
  const uint16_t protocol = ntohs(peek<uint16_t>(b + 2));
  v.items.push_back(
      named("sll_protocol",
            of_bytes(value_macro("htons", {word(Set::ethernet_protocols, protocol)}), b + 2, 2)));
  v.items.push_back(named("sll_ifindex", interface_value(peek<uint32_t>(b + 4))));
  v.items.push_back(named("sll_hatype", word(Set::arp_hardware, peek<uint16_t>(b + 8))));
  v.items.push_back(named("sll_pkttype", word(Set::packet_types, b[10])));
  v.items.push_back(named("sll_halen", value_unsigned(b[11])));
  if (!b[11]) return;
  Value list = value_of(Kind::list);
  for (size_t i = 0; i < b[11] && 12 + i < n; ++i) list.items.push_back(value_hex(b[12 + i]));
  list.whole = b[11];
  v.items.push_back(named("sll_addr", list));
}

Value control_data(const Scene& s, const uint8_t* b, size_t n, uint32_t level, uint32_t type) {
  if (level == 1 && (type == 1 || type == 4)) {  // SCM_RIGHTS, SCM_PIDFD
    Value list = value_of(Kind::list);
    list.bounded = true;
    for (size_t i = 0; i + 4 <= n; i += 4)
      list.items.push_back(descriptor(s, peek<int32_t>(b + i)));
    list.whole = list.items.size();
    return list;
  }
  if (level == 1 && type == 2 && n >= 12) {
    Value v = value_of(Kind::structure);
    v.items.push_back(named("pid", value_number(peek<int32_t>(b))));
    v.items.push_back(named("uid", user_value(peek<uint32_t>(b + 4))));
    v.items.push_back(named("gid", user_value(peek<uint32_t>(b + 8))));
    return v;
  }
  const bool moment = level == 1 && (type == 29 || type == 35 || type == 63 || type == 64);
  const bool moments = level == 1 && (type == 37 || type == 65);
  if ((moment && n < 16) || (moments && n < 48)) {  // less than the whole says nothing
    Value v = value_of(Kind::word);
    v.text = "???";
    v.bare = true;
    return v;
  }
  if (moment)
    return plain(s, type == 29 || type == 63 ? arch::Layout::timeval : arch::Layout::timespec, b);
  if (moments) {
    Value list = value_of(Kind::list);
    for (int i = 0; i < 3; ++i) list.items.push_back(plain(s, arch::Layout::timespec, b + 16 * i));
    list.whole = 3;
    return list;
  }
  if (level == 0 && type == 8 && n >= 12) {
    Value v = value_of(Kind::structure);
    v.items.push_back(named("ipi_ifindex", interface_value(peek<uint32_t>(b))));
    v.items.push_back(named("ipi_spec_dst", inet4_value(b + 4)));
    v.items.push_back(named("ipi_addr", inet4_value(b + 8)));
    return v;
  }
  const auto one = [&](Value value) {
    Value list = value_of(Kind::list);
    list.items.push_back(std::move(value));
    list.whole = 1;
    return list;
  };
  if (level == 0 && (type == 2 || type == 26) && n >= 4)
    return one(value_unsigned(peek<uint32_t>(b)));
  if (level == 0 && type == 23 && n >= 4) return one(value_unsigned(peek<uint32_t>(b)));
  if (level == 0 && type == 1 && n >= 1) return one(value_hex(b[0]));
  if (level == 0 && (type == 6 || type == 7)) {
    Value list = value_of(Kind::list);
    list.bounded = true;
    for (size_t i = 0; i < n; ++i)
      list.items.push_back(value_number(b[i], Value::Base::hexadecimal)),
          list.items.back().text = "byte";
    list.whole = list.items.size();
    return list;
  }
  if (level == 0 && type == 11 && n >= 32) {
    Value v = value_of(Kind::structure);
    v.items.push_back(named("ee_errno", value_unsigned(peek<uint32_t>(b))));
    v.items.push_back(named("ee_origin", value_unsigned(b[4])));
    v.items.push_back(named("ee_type", value_unsigned(b[5])));
    v.items.push_back(named("ee_code", value_unsigned(b[6])));
    v.items.push_back(named("ee_info", value_unsigned(peek<uint32_t>(b + 8))));
    v.items.push_back(named("ee_data", value_unsigned(peek<uint32_t>(b + 12))));
    v.items.push_back(named("offender", sockaddr_value(s, b + 16, 16)));
    return v;
  }
  if (level == 0 && type == 20 && n >= 16) return sockaddr_value(s, b, 16);
  return value_text(std::string(reinterpret_cast<const char*>(b), n));
}

Value controls(const Scene& s, uint64_t at, uint64_t bytes, bool out) {
  constexpr uint64_t most = 131072;  // net.core.optmem_max
  std::string all = s.memory.bytes(at, std::min(bytes, most), out);
  const bool shortened = all.size() < bytes && s.memory.shortened(at, bytes, out);
  if (all.size() < 16 || (all.size() < std::min(bytes, most) && !shortened))
    return value_address(at);
  const auto* b = reinterpret_cast<const uint8_t*>(all.data());
  Value list = value_of(Kind::list);
  list.bounded = true;
  for (size_t i = 0; i + 16 <= all.size();) {
    const uint64_t length = peek<uint64_t>(b + i);
    const uint32_t level = peek<uint32_t>(b + i + 8), type = peek<uint32_t>(b + i + 12);
    Value one = value_of(Kind::structure);
    one.items.push_back(named("cmsg_len", value_unsigned(length)));
    one.items.push_back(named("cmsg_level", word(Set::socket_levels, level)));
    one.items.push_back(named("cmsg_type", level == 1   ? word(Set::scm_types, type)
                                           : level == 0 ? word(Set::ip_cmsg_types, type)
                                                        : value_hex(type)));
    const size_t kept = std::min<uint64_t>(length, all.size() - i);
    Value data = kept > 16 ? control_data(s, b + i + 16, kept - 16, level, type) : Value();
    if (data.kind != Kind::absent && (data.kind != Kind::list || !data.items.empty()))
      one.items.push_back(named("cmsg_data", std::move(data)));
    list.items.push_back(one);
    if (length > all.size() - i) break;
    const bool lies = length < 16;  // nobody knows where the next one is
    i += lies ? 16 : (length + 7) & ~7ull;
    if (i < all.size() && (lies || i + 16 > all.size())) list.rest = at + i;
    if (lies) break;
  }
  list.whole = list.items.size() + (all.size() < bytes);
  return list;
}

}  // namespace

Value sockaddr_value(const Scene& s, const uint8_t* b, size_t n) {
  Value v = value_of(Kind::structure);
  if (n < 2) return v;
  const uint16_t family = peek<uint16_t>(b);
  v.items.push_back(named("sa_family", word(Set::address_families, family)));
  if (family == AF_UNIX) return add_unix(v, b, n), v;
  if (family == AF_INET && n >= 16) {
    v.items.push_back(named("sin_port", network_short("htons", b + 2)));
    v.items.push_back(named("sin_addr", inet4_value(b + 4)));
    return v;
  }
  if (family == AF_INET6 && n >= 24) {
    v.items.push_back(named("sin6_port", network_short("htons", b + 2)));
    v.items.push_back(named("sin6_flowinfo", network_long(b + 4)));
    v.items.push_back(inet6_value(b + 8, "&sin6_addr"));
    const bool local =
        (b[8] == 0xfe && (b[9] & 0xc0) == 0x80) || (b[8] == 0xff && (b[9] & 0xf) == 2);
    const uint32_t scope = n >= 28 ? peek<uint32_t>(b + 24) : 0;
    if (n >= 28)
      v.items.push_back(
          named("sin6_scope_id", local ? interface_value(scope) : value_unsigned(scope)));
    return v;
  }
  if (add_rare_family(v, b, n, family) || add_rarest_family(s, v, b, n, family)) return v;
  if (family == 17 && n >= 12) return add_packet(v, b, n), v;
  if (n > 2) {
    Value data = value_text(std::string(reinterpret_cast<const char*>(b) + 2, n - 2));
    data.path = true;  // in whole
    v.items.push_back(named("sa_data", data));
  }
  return v;
}

Value message_value(const Scene& s, uint64_t at, bool out, uint64_t filled, bool contents) {
  uint64_t m[7];
  if (!s.memory.whole(m, at, sizeof m, out)) return value_address(at);
  const uint32_t name_bytes = static_cast<uint32_t>(m[1]);
  Value v = value_of(Kind::structure);
  uint32_t offered = name_bytes;
  if (out) s.memory.whole(&offered, at + 8, 4, false);
  const uint32_t kept = std::min(offered, name_bytes);
  v.items.push_back(
      named("msg_name", structure(s, arch::Layout::sockaddr, m[0],
                                  static_cast<int32_t>(kept) < 0 ? ~0ull : kept, out)));
  v.items.push_back(named("msg_namelen", value_number(static_cast<int32_t>(name_bytes))));
  if (offered != name_bytes) {
    Value change = value_of(Kind::change);
    change.items = {value_number(static_cast<int32_t>(offered)),
                    value_number(static_cast<int32_t>(name_bytes))};
    v.items.back() = named("msg_namelen", change);
  }
  v.items.push_back(named("msg_iov", vectors(s, m[2], m[3], out, filled)));
  v.items.push_back(named("msg_iovlen", value_unsigned(m[3])));
  if (m[5])
    v.items.push_back(named("msg_control", m[4] ? controls(s, m[4], m[5], out) : value_address(0)));
  v.items.push_back(named("msg_controllen", value_unsigned(m[5])));
  v.items.push_back(named("msg_flags", words(Set::message_flags, static_cast<uint32_t>(m[6]))));
  (void)contents;
  return v;
}

// How many bytes a message offers: all of them were sent if its length was not recorded.
static uint32_t message_bytes(const Scene& s, uint64_t at) {
  uint64_t m[7], pair[2], sum = 0;
  if (!s.memory.whole(m, at, sizeof m, false)) return 0;
  for (uint64_t i = 0; i < m[3] && s.memory.whole(pair, m[2] + i * 16, 16, false); ++i)
    sum += pair[1];
  return static_cast<uint32_t>(sum);
}

Value messages_value(const Scene& s, uint64_t at, uint64_t count, bool out) {
  if (!at) return value_address(0);
  Value list = value_of(Kind::list);
  list.bounded = true;
  constexpr uint64_t most = 1024;  // UIO_MAXIOV
  for (uint64_t i = 0; i < std::min(count, most); ++i) {
    uint32_t length = 0;
    const uint64_t here = at + i * 64;
    const bool counted = s.ok() && i < static_cast<uint64_t>(s.call.result);
    Value header = message_value(s, here, out, ~0ull, true);
    if (header.kind == Kind::address ||
        (counted && out && !s.memory.whole(&length, here + 56, 4, true))) {
      if (!i) return value_address(at);
      list.rest = here;
      break;
    }
    if (out) header = message_value(s, here, out, length, true);
    Value one = value_of(Kind::structure);
    one.items.push_back(named("msg_hdr", header));
    if (!out && counted && !s.memory.whole(&length, here + 56, 4, true))
      length = message_bytes(s, here);
    if (counted) one.items.push_back(named("msg_len", value_unsigned(length)));
    list.items.push_back(one);
  }
  list.whole = count > most ? count : list.items.size();
  return list;
}

}  // namespace sctrace::read
