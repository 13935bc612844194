#include <arpa/inet.h>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Kind;

namespace {

Value in_network_order(const uint8_t* at, size_t bytes, bool hexadecimal) {
  uint64_t n = 0;
  for (size_t i = 0; i < bytes; ++i) n = n << 8 | at[i];
  const char* macro = bytes == 2 ? "htons" : bytes == 4 ? "htonl" : "htobe64";
  return of_bytes(value_macro(macro, {hexadecimal ? value_hex(n) : value_unsigned(n)}), at, bytes);
}

// struct inet_diag_sockid: two ports, two addresses of 16 bytes, an interface and a cookie.
Value identity(const uint8_t* b, uint8_t family) {
  Value v = value_of(Value::Kind::structure);
  v.items.push_back(named("idiag_sport", in_network_order(b, 2, false)));
  v.items.push_back(named("idiag_dport", in_network_order(b + 2, 2, false)));
  static constexpr const char* names[] = {"idiag_src", "idiag_dst"};
  for (int i = 0; i < 2; ++i) {
    const uint8_t* at = b + 4 + 16 * i;
    v.items.push_back(family == 10
                          ? inet6_value(at, i ? "&idiag_dst" : "&idiag_src")
                          : named(names[i], family == 2 ? inet4_value(at) : bare_bytes(at, 16)));
  }
  v.items.push_back(named("idiag_if", interface_value(peek<uint32_t>(b + 36))));
  Value cookie = value_of(Value::Kind::list);
  for (int i = 0; i < 2; ++i)
    cookie.items.push_back(value_unsigned(peek<uint32_t>(b + 40 + 4 * i)));
  cookie.whole = 2;
  v.items.push_back(named("idiag_cookie", cookie));
  return v;
}

}  // namespace

Value bare_bytes(const uint8_t* at, size_t n) {
  Value v = value_text(std::string(reinterpret_cast<const char*>(at), n));
  v.bare = true;
  return v;
}

Value at_place(arch::Set set, uint64_t index, Value v) {
  Value place = value_of(Value::Kind::indexed);
  place.items = {word(set, index), std::move(v)};
  place.items[0].base = Value::Base::unsigned_decimal;
  return place;
}

Value network_member(Kind kind, arch::Set set, const uint8_t* at, size_t bytes, uint8_t family) {
  switch (kind) {
    case Kind::network: return in_network_order(at, bytes, false);
    case Kind::network_hexadecimal: return in_network_order(at, bytes, true);
    case Kind::network_choice:
      return value_macro("htons", {word(set, __builtin_bswap16(peek<uint16_t>(at)))});
    case Kind::hardware: return hardware_address(at, bytes);
    case Kind::inet4: return inet4_value(at);
    case Kind::inet6: return inet6_anonymous(at);
    case Kind::socket_identity: return identity(at, family == 43 ? 2 : family);  // SMC is over IPv4
    default: return bare_bytes(at, bytes);
  }
}

Value inet6_anonymous(const uint8_t* at) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, at, text, sizeof text);
  Value family = value_of(Value::Kind::word);
  family.text = "AF_INET6";
  family.base = Value::Base::hexadecimal;
  family.number = 10;
  Value address = value_text(text);
  address.path = true;  // never shortened
  return of_bytes(value_macro("inet_pton", {family, address}), at, 16);
}

}  // namespace sctrace::read
