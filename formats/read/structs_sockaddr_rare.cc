// Socket addresses of families that few programs use: what lies behind `sa_family`.
#include <algorithm>
#include <cstring>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Set;

namespace {

// Behind the family: a field after the other.
class Fields {
 public:
  explicit Fields(Value& v) : v_(v) {}
  void add(const char* name, Value field) { v_.items.push_back(named(name, std::move(field))); }
  void add_if(uint64_t n, const char* name) {
    if (n) add(name, value_hex(n));
  }

 private:
  Value& v_;
};

// By its number and its name in every style: the words are in no header that programs include.
Value numbered(Value v) {
  v.numbered = true;
  return v;
}

Value text_of(const uint8_t* at, size_t n) {
  Value v = value_text(std::string(reinterpret_cast<const char*>(at), n));
  v.path = true;  // never shortened
  return v;
}

// RxRPC goes over UDP: inside is the address of that, as long as it says and as there are bytes.
Value transport(const Scene& s, const uint8_t* b, size_t said, size_t there) {
  const uint16_t family = peek<uint16_t>(b);
  const char *name = "", *family_name = "family";
  size_t least = SIZE_MAX;
  if (family == 2) name = "sin", family_name = "sin_family", least = 16;
  if (family == 10) name = "sin6", family_name = "sin6_family", least = 24;
  const size_t n = std::min(said, there);
  Value inner = value_of(Value::Kind::structure);
  if (said >= least) {
    inner = sockaddr_value(s, b, n);
    inner.items[0].name = Label::kept(family_name);
  } else {
    inner.items = {named(Label::kept(family_name), word(Set::address_families, family))};
    if (n > 2) inner.items.push_back(text_of(b + 2, n - 2));
  }
  if (!*name) return inner;
  Value outer = value_of(Value::Kind::structure);
  outer.items = {named(Label::kept(name), std::move(inner))};
  return outer;
}

void add_rxrpc(const Scene& s, Fields f, const uint8_t* b, size_t n) {
  const uint16_t said = peek<uint16_t>(b + 6);
  f.add("srx_service", numbered(word(Set::rxrpc_services, peek<uint16_t>(b + 2))));
  f.add("transport_type", word(Set::socket_kinds, peek<uint16_t>(b + 4)));
  f.add("transport_len", value_unsigned(said));
  f.add("transport", transport(s, b + 8, said, n - 8));
}

void add_ieee802154(Fields f, const uint8_t* b) {
  constexpr uint32_t none = 0, brief = 2;
  const uint32_t type = peek<uint32_t>(b + 4);
  Value inner = value_of(Value::Kind::structure);
  Fields in(inner);
  in.add("addr_type", numbered(word(Set::ieee802154_address_types, type)));
  in.add("pan_id", numbered(word(Set::ieee802154_pan_ids, peek<uint16_t>(b + 8))));
  if (type == brief)
    in.add("short_addr", numbered(word(Set::ieee802154_addresses, peek<uint16_t>(b + 10))));
  else if (type != none)
    in.add("hwaddr", hardware_address(b + 10, 8));
  f.add("addr", inner);
}

void add_algorithm(Fields f, const uint8_t* b, size_t n) {
  f.add("salg_type", name_in(b + 2, 14));
  f.add("salg_feat", numbered(words(Set::algorithm_flags, peek<uint32_t>(b + 16))));
  f.add("salg_mask", numbered(words(Set::algorithm_flags, peek<uint32_t>(b + 20))));
  f.add("salg_name", name_in(b + 24, n - 24));
}

// Alone, or with the service on the other side behind it.
void add_nfc(Value& v, const uint8_t* b, size_t n) {
  constexpr size_t alone = 16, with_service = 96, most_name = 63;
  Fields f(v);
  f.add("dev_idx", interface_value(peek<uint32_t>(b + 4)));
  f.add("target_idx", value_hex(peek<uint32_t>(b + 8)));
  f.add("nfc_protocol", word(Set::nfc_address_protocols, peek<uint32_t>(b + 12)));
  if (n < with_service) {
    v.numbered = n > alone;  // goes on
    return;
  }
  const uint64_t length = peek<uint64_t>(b + 88);
  f.add("dsap", numbered(word(Set::nfc_saps, b[16])));
  f.add("ssap", numbered(word(Set::nfc_saps, b[17])));
  f.add("service_name", text_of(b + 18, std::min<uint64_t>(length, most_name)));
  f.add("service_name_len", value_unsigned(length));
}

void add_vsock(Fields f, const uint8_t* b) {
  f.add_if(peek<uint16_t>(b + 2), "svm_reserved1");
  f.add("svm_cid", word(Set::vsock_cids, peek<uint32_t>(b + 8)));
  f.add("svm_port", word(Set::vsock_ports, peek<uint32_t>(b + 4)));
  f.add("svm_flags", words(Set::vsock_flags, b[12]));
  if (b[13] || b[14] || b[15]) f.add("svm_zero", bare_bytes(b + 13, 3));
}

void add_qrtr(Fields f, const uint8_t* b) {
  f.add("sq_node", word(Set::qrtr_nodes, peek<uint32_t>(b + 4)));
  f.add("sq_port", word(Set::qrtr_ports, peek<uint32_t>(b + 8)));
}

void add_xdp(const Scene& s, Fields f, const uint8_t* b) {
  constexpr uint16_t shared = 1;
  const uint16_t flags = peek<uint16_t>(b + 2);
  const uint32_t fd = peek<uint32_t>(b + 12);
  f.add("sxdp_flags", words(Set::xdp_address_flags, flags));
  f.add("sxdp_ifindex", interface_value(peek<uint32_t>(b + 4)));
  f.add("sxdp_queue_id", value_unsigned(peek<uint32_t>(b + 8)));
  if (flags & shared)
    f.add("sxdp_shared_umem_fd", descriptor(s, static_cast<int32_t>(fd)));
  else
    f.add_if(fd, "sxdp_shared_umem_fd");
}

void add_mctp(Fields f, const uint8_t* b) {
  f.add_if(peek<uint16_t>(b + 2), "__smctp_pad0");
  f.add("smctp_network", word(Set::mctp_networks, peek<uint32_t>(b + 4)));
  Value address = value_of(Value::Kind::structure);
  address.items = {named("s_addr", word(Set::mctp_addresses, b[8]))};
  f.add("smctp_addr", address);
  f.add("smctp_type", value_hex(b[9]));
  f.add("smctp_tag", value_hex(b[10]));
  f.add_if(b[11], "__smctp_pad1");
}

}  // namespace

bool add_rarest_family(const Scene& s, Value& v, const uint8_t* b, size_t n, uint16_t family) {
  switch (family) {
    case 33: return n >= 36 ? add_rxrpc(s, Fields(v), b, n), true : false;
    case 36: return n >= 20 ? add_ieee802154(Fields(v), b), true : false;
    case 38: return n > 24 ? add_algorithm(Fields(v), b, n), true : false;
    case 39: return n >= 16 ? add_nfc(v, b, n), true : false;
    case 40: return n >= 16 ? add_vsock(Fields(v), b), true : false;
    case 42: return n >= 12 ? add_qrtr(Fields(v), b), true : false;
    case 44: return n >= 16 ? add_xdp(s, Fields(v), b), true : false;
    case 45: return n >= 12 ? add_mctp(Fields(v), b), true : false;
    default: return false;
  }
}

}  // namespace sctrace::read
