#include <algorithm>
#include <bit>
#include <cstring>

#include "formats/read/requests.h"
#include "formats/read/structs.h"
#include "formats/text.h"

namespace sctrace::read {

using arch::Layout;
using Kind = Value::Kind;

namespace {

Value one(Value v) {
  v.braced = true;
  return v;
}

// Options of SOL_SOCKET that are an int for whoever sets them, however long they claim to be.
bool is_set_as_number(uint32_t name) {
  switch (name) {
    case 3:
    case 4:
    case 13:
    case 17:
    case 20:
    case 21:
    case 22:
    case 23:
    case 24:
    case 25:
    case 26:
    case 28:
    case 31:
    case 38:
    case 39:
    case 47:
    case 48:
    case 50:
    case 51:
    case 52:
    case 74: return false;
    default:
      return name < 54 || name == 56 || name == 60 || (name >= 63 && name <= 65) ||
             (name >= 68 && name <= 70) || name == 73 || name == 75;
  }
}

// How much of a value must be there for it to mean something.
uint64_t known_bytes(uint32_t level, uint32_t name, int64_t length) {
  if (level == 1 && (is_set_as_number(name) || name == 74))
    return static_cast<uint64_t>(std::min<int64_t>(length, 4));
  if (level == 263 && name == 6) return static_cast<uint64_t>(std::min<int64_t>(length, 12));
  if (level == 0 && (name == 35 || name == 36))
    return static_cast<uint64_t>(std::min<int64_t>(length, 8));
  if (level == 41 && (name == 20 || name == 21 || name == 27 || name == 28))
    return static_cast<uint64_t>(std::min<int64_t>(length, 20));
  return static_cast<uint64_t>(std::min<int64_t>(length, 4096));
}

// As many numbers as came; what of the last is incomplete as bytes.
template <size_t count, class Number>
Value partial_numbers(const std::string& all, const char* const (&names)[count], Number number) {
  Value v = value_of(Kind::structure);
  for (size_t i = 0; i < count && i * 4 < all.size(); ++i) {
    const std::string part = all.substr(i * 4, 4);
    Value field = value_text(part);
    field.bare = true;
    if (part.size() == 4)
      field = number(i, peek<uint32_t>(reinterpret_cast<const uint8_t*>(part.data())));
    v.items.push_back(named(names[i], field));
  }
  return v;
}

Value partial_credentials(const std::string& all) {
  static constexpr const char* names[] = {"pid", "uid", "gid"};
  return partial_numbers(all, names, [](size_t i, uint32_t n) {
    return i ? user_value(n) : value_number(static_cast<int32_t>(n));
  });
}

Value linger(const std::string& all) {
  static constexpr const char* names[] = {"l_onoff", "l_linger"};
  return partial_numbers(all, names,
                         [](size_t, uint32_t n) { return value_number(static_cast<int32_t>(n)); });
}

// Which types of message are filtered, or which are not.
Value icmp_filter(const std::string& all) {
  uint32_t bits = ~0u;
  all.copy(reinterpret_cast<char*>(&bits), sizeof bits);
  Value v = value_of(Kind::members);
  v.negated = std::popcount(bits) > 16;
  if (v.negated) bits = ~bits;
  for (uint32_t i = 0; i < 32; ++i)
    if (bits >> i & 1) v.items.push_back(word(arch::Set::icmp_filter, i));
  return v;
}

Value error_number(uint32_t n) {
  Value v = value_of(Kind::word);
  v.base = Value::Base::unsigned_decimal;
  v.number = n;
  v.text = errno_name(n);
  return v;
}

// What is set of structs that no row of a table knows; nothing: it is none of them.
Value own_struct(const Scene& s, uint64_t at, int64_t length, const std::string& all) {
  const uint32_t level = static_cast<uint32_t>(s.call.args[1]),
                 name = static_cast<uint32_t>(s.call.args[2]);
  const auto* b = reinterpret_cast<const uint8_t*>(all.data());
  constexpr uint32_t raw = 255, packet = 263, ip = 0, ipv6 = 41;
  if (level == raw && name == 1)
    return all.size() < std::min<uint64_t>(static_cast<uint64_t>(length), 4) || length <= 0
               ? value_address(at)
               : icmp_filter(all);
  if (level == packet && (name == 5 || name == 13)) {  // PACKET_RX_RING, PACKET_TX_RING
    if (length != 16 || all.size() < 16) return value_address(at);
    return Builder()
        .add("tp_block_size", value_unsigned(peek<uint32_t>(b)))
        .add("tp_block_nr", value_unsigned(peek<uint32_t>(b + 4)))
        .add("tp_frame_size", value_unsigned(peek<uint32_t>(b + 8)))
        .add("tp_frame_nr", value_unsigned(peek<uint32_t>(b + 12)))
        .done();
  }
  if ((level == ip || level == ipv6) && (name == 42 || name == 45)) {  // MCAST_JOIN_GROUP, LEAVE
    constexpr size_t bytes = 136, group = 8;
    if (length < static_cast<int64_t>(bytes) || all.size() < bytes) return value_address(at);
    return Builder()
        .add("gr_interface", interface_value(peek<uint32_t>(b)))
        .add("gr_group", sockaddr_value(s, b + group, bytes - group))
        .done();
  }
  return {};
}

// What of the last is incomplete, as bytes.
Value packet_statistics(const Scene& s, uint64_t at, const std::string& all) {
  static constexpr const char* names[] = {"tp_packets", "tp_drops", "tp_freeze_q_cnt"};
  Value v = value_of(Kind::structure);
  for (size_t i = 0; i < 3 && i * 4 < all.size(); ++i) {
    const size_t n = std::min<size_t>(all.size() - i * 4, 4);
    const auto* b = reinterpret_cast<const uint8_t*>(all.data()) + i * 4;
    v.items.push_back(named(names[i], n == 4 ? value_unsigned(peek<uint32_t>(b))
                                             : hexadecimal_text(s, at + i * 4, n, true)));
  }
  return v;
}

Value rehash(const uint8_t* b) {
  Value v = word(arch::Set::txrehash, peek<uint32_t>(b));
  v.number = static_cast<uint64_t>(static_cast<int64_t>(peek<int32_t>(b)));
  v.base = Value::Base::decimal;
  return v;
}

}  // namespace

// What is set; `all` of it as far as it could be read.
Value set_value(const Scene& s, uint64_t at, int64_t length, uint32_t level, uint32_t name,
                const std::string& all) {
  const auto* b = reinterpret_cast<const uint8_t*>(all.data());
  const bool socket = level == 1;
  if (socket && (name == 26 || name == 51))
    return length >= 16 && all.size() >= 16 ? filter_program(s, b, false) : value_address(at);
  if (socket && name == 13) {
    if (length < 8 || all.size() < 8) return value_address(at);
    return Builder()
        .add("l_onoff", value_number(peek<int32_t>(b)))
        .add("l_linger", value_number(peek<int32_t>(b + 4)))
        .done();
  }
  if (socket && (name == 20 || name == 21) && length == 16)
    return all.size() < 16 ? value_address(at) : plain(s, Layout::timeval, b);
  const bool netlink = level == 270;  // takes nothing but numbers
  const bool number = netlink || (socket && (is_set_as_number(name) || name == 74));
  if (number || length == 4) {
    if (length < 4 || all.size() < 4) return value_address(at);
    Value v = value_number(peek<int32_t>(b));
    if (socket && name == 74) v = rehash(b);
    return one(v);
  }
  return text_at(s, at, static_cast<uint64_t>(length), false);
}

// The value of a socket option, by level and name; an int if nothing better is known and it is as
// long as one.
Value option_value(const Scene& s, uint64_t at, int64_t length, bool out) {
  const uint32_t level = static_cast<uint32_t>(s.call.args[1]),
                 name = static_cast<uint32_t>(s.call.args[2]);
  if (length < 0 || (out && !length)) return value_address(at);
  const std::string all =
      s.memory.bytes(at, static_cast<uint64_t>(std::min<int64_t>(length, 4096)), out);
  const bool listed = (level == 263 && (name == 1 || name == 2)) ||
                      (level == 0 && (name == 35 || name == 36)) ||
                      (level == 41 && (name == 20 || name == 21 || name == 27 || name == 28));
  if (Value own = out ? Value() : own_struct(s, at, length, all); own.kind != Kind::absent)
    return own;
  if (level == 255 && name == 1 && out) return icmp_filter(all);
  if (level == 1 && name == 13 && out) return all.empty() ? value_address(at) : linger(all);
  if (!out && !listed) return set_value(s, at, length, level, name, all);
  if (out && level == 1 && name == 26)
    return elements(s, Layout::sock_filter, at, static_cast<uint64_t>(length), true);
  if (out && level == 270 && name == 9) {  // NETLINK_LIST_MEMBERSHIPS: as many as there is room for
    uint32_t room = 0;
    s.memory.whole(&room, s.call.args[4], 4, false);
    const auto filled = std::min<uint64_t>(room, static_cast<uint64_t>(length));
    return elements(s, Layout::u32, at, filled / 4, true);
  }
  if (all.size() < known_bytes(level, name, length)) return value_address(at);
  const auto* b = reinterpret_cast<const uint8_t*>(all.data());
  if (level == 1) {
    if ((name == 20 || name == 21) && length >= 16) return plain(s, Layout::timeval, b);
    if (name == 17 && length < 12 && out) return partial_credentials(all);
    if (name == 17 && length >= 12) {
      Value v = value_of(Kind::structure);
      v.items.push_back(named("pid", value_number(peek<int32_t>(b))));
      v.items.push_back(named("uid", user_value(peek<uint32_t>(b + 4))));
      v.items.push_back(named("gid", user_value(peek<uint32_t>(b + 8))));
      return v;
    }
    if ((name == 26 || name == 51) && !out && length == 16) return filter_program(s, b, out);
    if (name == 74 && length >= 4) return one(rehash(b));
    if (name == 4 && length >= 4) return one(error_number(peek<uint32_t>(b)));
    if (name == 4) return hexadecimal_text(s, at, all.size(), true);
  }
  if (level == 263 && (name == 1 || name == 2) && length >= 8) {
    Value v = value_of(Kind::structure);
    const uint16_t n = peek<uint16_t>(b + 6);
    v.items.push_back(named("mr_ifindex", interface_value(peek<uint32_t>(b))));
    v.items.push_back(named("mr_type", word(arch::Set::packet_mr_types, peek<uint16_t>(b + 4))));
    v.items.push_back(named("mr_alen", value_unsigned(n)));
    const size_t kept = std::min<size_t>({n, static_cast<size_t>(length) - 8, 8});
    v.items.push_back(named("mr_address", hardware_address(b + 8, kept)));
    return v;
  }
  if (level == 263 && name == 6 && out) return packet_statistics(s, at, all);
  if (level == 0 && (name == 35 || name == 36)) {
    if (length < 8) return value_address(at);
    Value v = value_of(Kind::structure);
    v.items.push_back(named("imr_multiaddr", inet4_value(b)));
    v.items.push_back(named("imr_interface", inet4_value(b + 4)));
    return v;
  }
  if (level == 41 && (name == 20 || name == 21 || name == 27 || name == 28)) {
    if (length < 20) return value_address(at);
    Value v = value_of(Kind::structure);
    v.items.push_back(inet6_value(b, "&ipv6mr_multiaddr"));
    v.items.push_back(named("ipv6mr_interface", interface_value(peek<uint32_t>(b + 16))));
    return v;
  }
  const bool number = level == 1 && (is_set_as_number(name) || name == 74);
  if (length == 4 || (length > 4 && number)) return one(value_number(peek<int32_t>(b)));
  if (length < 4 && (number || level == 0 || level == 6 || level == 41)) {
    Value v = value_text(all);
    v.bare = true;
    return v;
  }
  return value_text(all);
}

}  // namespace sctrace::read
