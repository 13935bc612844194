#include "formats/read/peers.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "arch/table.h"
#include "formats/read/decode.h"
#include "formats/read/structs.h"
#include "formats/read/table.h"

namespace sctrace::read {

namespace {

const uint8_t* raw(std::string_view address) {
  return reinterpret_cast<const uint8_t*>(address.data());
}

uint16_t family_of(std::string_view address) {
  return address.size() < 2 ? uint16_t{AF_UNSPEC} : peek<uint16_t>(raw(address));
}

std::string local_name(std::string_view address) {
  std::string_view name = address.substr(std::min<size_t>(2, address.size()));
  if (name.empty()) return {};
  if (name[0] == '\0') return "unix @" + std::string(name.substr(1));
  return "unix " + std::string(name.substr(0, name.find('\0')));
}

std::string protocol_of(const OpenFile& file) {
  switch (file.protocol) {
    case 6: return "tcp ";
    case 17: return "udp ";
    case 1:
    case 58: return "icmp ";
    default: break;
  }
  return file.kind == SOCK_STREAM ? "stream " : file.kind == SOCK_DGRAM ? "datagram " : "raw ";
}

std::string with_protocol(const OpenFile& file, std::string_view address) {
  const std::string text = address_text(address);
  if (text.empty() || text.starts_with("unix ") || text.starts_with("netlink ")) return text;
  return protocol_of(file) + text;
}

// Where a call keeps the address that it sends to, or that it was given to know.
std::string address_in(const Call& call) {
  const Memory memory(call);
  const auto at = [&](uint64_t address, uint64_t n, bool out) {
    return address ? memory.bytes(address, std::min<uint64_t>(n, 128), out) : std::string();
  };
  const bool gave = call.ended && call.result >= 0;
  switch (call.nr) {
    case arch::nr_connect:
    case arch::nr_bind: return at(call.args[1], call.args[2], false);
    case arch::nr_sendto: return at(call.args[4], call.args[5], false);
    case arch::nr_recvfrom: {
      uint32_t n = 0;
      if (!gave || !memory.whole(&n, call.args[5], 4, true)) return {};
      return at(call.args[4], n, true);
    }
    case arch::nr_sendmsg:
    case arch::nr_recvmsg: {
      const bool out = call.nr == arch::nr_recvmsg;
      uint64_t name[2];
      if ((out && !gave) || !memory.whole(name, call.args[1], sizeof name, out)) return {};
      return at(name[0], static_cast<uint32_t>(name[1]), out);
    }
    default: return {};
  }
}

}  // namespace

std::string address_text(std::string_view address) {
  char text[INET6_ADDRSTRLEN] = "";
  switch (family_of(address)) {
    case AF_UNIX: return local_name(address);
    case AF_INET:
      if (address.size() < 8) return {};
      inet_ntop(AF_INET, raw(address) + 4, text, sizeof text);
      return fmt::format("{}:{}", text, ntohs(peek<uint16_t>(raw(address) + 2)));
    case AF_INET6:
      if (address.size() < 24) return {};
      inet_ntop(AF_INET6, raw(address) + 8, text, sizeof text);
      return fmt::format("[{}]:{}", text, ntohs(peek<uint16_t>(raw(address) + 2)));
    case AF_NETLINK:
      if (address.size() < 8) return {};
      return fmt::format("netlink {}", peek<uint32_t>(raw(address) + 4));
    default: return {};
  }
}

std::string peer_of(const OpenFile& file) {
  if ((file.mode & 0170000) != 0140000) return {};
  const std::string peer = with_protocol(file, file.peer);
  if (!peer.empty()) return peer;
  const std::string own = with_protocol(file, file.name);
  return own.starts_with("unix ") ? "unix (at " + own.substr(5) + ")"
         : own.empty()            ? ""
                                  : own + " (own)";
}

std::string peer_of(const Call& call, const Files& files) {
  const arch::Row& row = lookup(call.nr);
  if (!row.arity || row.args[0].kind != arch::Kind::fd) return {};
  const OpenFile* file = files.told(call.pid, static_cast<int32_t>(call.args[0]));
  if (!file) return {};
  if (call.nr != arch::nr_bind) {
    const std::string named = with_protocol(*file, address_in(call));
    if (!named.empty()) return named;
  }
  return peer_of(*file);
}

}  // namespace sctrace::read
