#include <fmt/format.h>

#include <algorithm>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

constexpr size_t request_bytes = 40, name_bytes = 16;

size_t address_bytes(uint16_t family) {
  static constexpr struct {
    uint16_t family;
    uint8_t bytes;
  } known[] = {{0, 7},   {1, 6},   {3, 7},   {6, 6},   {7, 1},   {15, 2},  {27, 8},  {270, 5},
               {271, 5}, {290, 1}, {768, 4}, {772, 6}, {773, 1}, {774, 6}, {776, 4}, {777, 4},
               {778, 4}, {779, 4}, {780, 6}, {783, 4}, {801, 6}, {802, 6}, {803, 6}, {804, 8},
               {805, 8}, {820, 1}, {821, 1}, {822, 1}, {825, 8}, {826, 8}};
  for (const auto& one : known)
    if (one.family == family) return one.bytes;
  return 14;
}

Value hardware(const uint8_t* b) {
  const uint16_t family = peek<uint16_t>(b);
  return Builder()
      .add("sa_family", word(Set::arphrd, family))
      .add("sa_data", hardware_address(b + 2, address_bytes(family)))
      .done();
}

Value device_map(const uint8_t* b) {
  return Builder()
      .add("mem_start", value_hex(peek<uint64_t>(b)))
      .add("mem_end", value_hex(peek<uint64_t>(b + 8)))
      .add("base_addr", value_hex(peek<uint16_t>(b + 16)))
      .add("irq", value_hex(b[18]))
      .add("dma", value_hex(b[19]))
      .add("port", value_hex(b[20]))
      .done();
}

// What stands beside the name of the interface depends on the request.
Value payload(const Scene& s, uint32_t number, const uint8_t* b) {
  const uint8_t* at = b + name_bytes;
  namespace r = arch::requests;
  switch (number) {
    case r::io_SIOCGIFADDR:
    case r::io_SIOCSIFADDR: return named("ifr_addr", sockaddr_value(s, at, 16));
    case r::io_SIOCGIFDSTADDR:
    case r::io_SIOCSIFDSTADDR: return named("ifr_dstaddr", sockaddr_value(s, at, 16));
    case r::io_SIOCGIFBRDADDR:
    case r::io_SIOCSIFBRDADDR: return named("ifr_broadaddr", sockaddr_value(s, at, 16));
    case r::io_SIOCGIFNETMASK:
    case r::io_SIOCSIFNETMASK: return named("ifr_netmask", sockaddr_value(s, at, 16));
    case r::io_SIOCGIFHWADDR:
    case r::io_SIOCSIFHWADDR:
    case r::io_SIOCADDMULTI:
    case r::io_SIOCDELMULTI:
    case r::io_SIOCSIFHWBROADCAST: return named("ifr_hwaddr", hardware(at));
    case r::io_SIOCGIFFLAGS:
    case r::io_SIOCSIFFLAGS:
      return named("ifr_flags", words(Set::interface_flags, peek<uint16_t>(at)));
    case r::io_SIOCGIFINDEX: return named("ifr_ifindex", value_number(peek<int32_t>(at)));
    case r::io_SIOCGIFMETRIC:
    case r::io_SIOCSIFMETRIC: return named("ifr_metric", value_number(peek<int32_t>(at)));
    case r::io_SIOCGIFMTU:
    case r::io_SIOCSIFMTU: return named("ifr_mtu", value_number(peek<int32_t>(at)));
    case r::io_SIOCGIFTXQLEN:
    case r::io_SIOCSIFTXQLEN: return named("ifr_qlen", value_number(peek<int32_t>(at)));
    case r::io_SIOCGIFSLAVE:
    case r::io_SIOCSIFSLAVE: return named("ifr_slave", name_in(at, name_bytes));
    case r::io_SIOCSIFNAME: return named("ifr_newname", name_in(at, name_bytes));
    case r::io_SIOCGIFMAP:
    case r::io_SIOCSIFMAP: return named("ifr_map", device_map(at));
    default: return {};
  }
}

Value request(const Scene& s, Layout layout, const uint8_t* b) {
  const uint32_t number = static_cast<uint32_t>(s.call.args[1]);
  Value name = named("ifr_name", name_in(b, name_bytes));
  Value index = named("ifr_ifindex", value_number(peek<int32_t>(b + name_bytes)));
  const bool by_index = number == arch::requests::io_SIOCGIFNAME;
  Value v = value_of(Kind::structure);
  if (layout != Layout::ifreq_got) v.items.push_back(by_index ? index : name);
  if (layout != Layout::ifreq_ask) v.items.push_back(by_index ? name : payload(s, number, b));
  return v;
}

Value length(const uint8_t* b, bool noted) {
  const int32_t n = peek<int32_t>(b);
  Value v = value_number(n);
  if (noted && n > 0 && n % static_cast<int32_t>(request_bytes) == 0)
    v.note = fmt::format("{} * sizeof(struct ifreq)", n / static_cast<int32_t>(request_bytes));
  return v;
}

// All interfaces: an array that the kernel fills, as much of it as there was room for.
Value configuration(const Scene& s, const uint8_t* b, const Place& place) {
  const int32_t n = peek<int32_t>(b);
  const uint64_t at = peek<uint64_t>(b + 8);
  int32_t offered = n;
  if (!s.memory.whole(&offered, place.at, 4, false)) offered = n;
  Value v = value_of(Kind::structure);
  if (offered != n) v.items.push_back(named("ifc_len", length(b, true)));
  if (!at) {
    v.items.push_back(named("ifc_buf", value_address(0)));
    return v;
  }
  Value list = value_of(Kind::list);
  list.bounded = true;
  uint8_t one[request_bytes];
  for (int32_t i = 0; i < n / static_cast<int32_t>(request_bytes); ++i) {
    const uint64_t where = at + static_cast<uint64_t>(i) * request_bytes;
    if (!s.memory.whole(one, where, sizeof one, true)) {
      if (!i)
        list = value_address(at);
      else
        list.rest = where;
      break;
    }
    list.items.push_back(Builder()
                             .add("ifr_name", name_in(one, name_bytes))
                             .add("ifr_addr", sockaddr_value(s, one + name_bytes, 16))
                             .done());
    list.whole = list.items.size();
  }
  v.items.push_back(named("ifc_buf", list));
  return v;
}

}  // namespace

Value interface_struct(const Scene& s, Layout layout, const uint8_t* b, const Place& place) {
  switch (layout) {
    case Layout::ifreq:
    case Layout::ifreq_ask:
    case Layout::ifreq_got: return request(s, layout, b);
    case Layout::ifconf_ask:
      return Builder()
          .add("ifc_len", length(b, true))
          .add("ifc_buf", value_address(peek<uint64_t>(b + 8)))
          .done();
    case Layout::ifconf_got: return configuration(s, b, place);
    case Layout::bridge_name: {
      const auto* text = reinterpret_cast<const char*>(b);
      Value v = value_text(std::string(text, strnlen(text, name_bytes)));
      v.cut = v.text.size() == name_bytes;
      v.path = true;
      return v;
    }
    default: return {};
  }
}

}  // namespace sctrace::read
