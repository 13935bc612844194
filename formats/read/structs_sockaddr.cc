// Socket addresses of the rarer families.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "formats/read/structs.h"

namespace sctrace::read {

void add_ax25(Value& v, const uint8_t* b, size_t n);  // structs_ax25.cc

namespace {

uint16_t big_short(const uint8_t* at) { return __builtin_bswap16(peek<uint16_t>(at)); }

void add_ipx(Value& v, const uint8_t* b) {
  v.items.push_back(named(
      "sipx_port", of_bytes(value_macro("htons", {value_unsigned(big_short(b + 2))}), b + 2, 2)));
  const uint32_t network = __builtin_bswap32(peek<uint32_t>(b + 4));
  v.items.push_back(
      named("sipx_network", of_bytes(value_macro("htonl", {value_hex(network)}), b + 4, 4)));
  Value node = value_of(Value::Kind::list);
  for (int i = 0; i < 6; ++i) node.items.push_back(value_hex(b[8 + i]));
  node.whole = 6;
  v.items.push_back(named("sipx_node", node));
  v.items.push_back(named("sipx_type", value_hex(b[14])));
  if (b[15]) v.items.push_back(named("sipx_zero", value_hex(b[15])));
}

void add_x25(Value& v, const uint8_t* b) {
  const size_t n = strnlen(reinterpret_cast<const char*>(b) + 2, 16);
  Value digits =
      value_text(std::string(reinterpret_cast<const char*>(b) + 2, std::min<size_t>(n, 15)));
  digits.cut = n == 16;
  Value address = value_of(Value::Kind::structure);
  address.items.push_back(named("x25_addr", digits));
  v.items.push_back(named("sx25_addr", address));
}

void add_netlink(Value& v, const uint8_t* b) {
  if (const uint16_t pad = peek<uint16_t>(b + 2))
    v.items.push_back(named("nl_pad", value_hex(pad)));
  v.items.push_back(named("nl_pid", value_number(peek<int32_t>(b + 4))));
  Value groups = value_of(Value::Kind::word);
  const uint32_t bits = peek<uint32_t>(b + 8);
  groups.text = bits ? fmt::format("{:#08x}", bits) : "00000000";
  groups.base = Value::Base::hexadecimal;
  groups.number = bits;
  v.items.push_back(named("nl_groups", groups));
}

// A port or channel: by name, or so far behind the first that a program may choose.
Value bluetooth_number(arch::Set set, uint16_t n, uint16_t first, uint16_t last) {
  Value v = word(set, n);
  const char* base = word_text(set, first);
  if (v.text.empty() && base && n >= first && n <= last)
    v.text = fmt::format("{}+{}", base, n - first);
  return v;
}

Value bluetooth_port(uint16_t n) {
  constexpr uint16_t low = 0x80, low_end = 0xff, start = 0x1001;
  return value_macro(
      "htobs", {n <= low_end ? bluetooth_number(arch::Set::bluetooth_psms, n, low, low_end)
                             : bluetooth_number(arch::Set::bluetooth_psms, n, start, 0xffff)});
}

// Which of its protocols a Bluetooth address is of is told by its length alone.
bool add_bluetooth(Value& v, const uint8_t* b, size_t n) {
  const auto add = [&v](const char* name, Value field) {
    v.items.push_back(named(name, std::move(field)));
  };
  switch (n) {
    case 4:
    case 6:
      add("hci_dev", value_macro("htobs", {value_unsigned(peek<uint16_t>(b + 2))}));
      if (n == 6) add("hci_channel", word(arch::Set::hci_channels, peek<uint16_t>(b + 4)));
      return true;
    case 8: add("sco_bdaddr", hardware_address(b + 2, 6)); return true;
    case 10:
      add("rc_bdaddr", hardware_address(b + 2, 6));
      add("rc_channel", value_unsigned(b[8]));
      return true;
    case 12:
    case 14:
      add("l2_psm", bluetooth_port(peek<uint16_t>(b + 2)));
      add("l2_bdaddr", hardware_address(b + 4, 6));
      add("l2_cid", value_macro("htobs", {bluetooth_number(arch::Set::bluetooth_cids,
                                                           peek<uint16_t>(b + 10), 0x40, 0xffff)}));
      if (n == 14) add("l2_bdaddr_type", word(arch::Set::bluetooth_address_types, b[12]));
      return true;
    default: return false;
  }
}

}  // namespace

bool add_rare_family(Value& v, const uint8_t* b, size_t n, uint16_t family) {
  switch (family) {
    case 3: return n >= 16 ? add_ax25(v, b, n), true : false;
    case 4: return n >= 16 ? add_ipx(v, b), true : false;
    case 9: return n >= 18 ? add_x25(v, b), true : false;
    case 16: return n >= 12 ? add_netlink(v, b), true : false;
    case 31: return add_bluetooth(v, b, n);
    default: return false;
  }
}

}  // namespace sctrace::read
