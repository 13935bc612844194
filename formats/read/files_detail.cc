#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include "arch/vocabulary.h"
#include "formats/read/decode.h"
#include "formats/read/files.h"
#include "formats/read/structs.h"

namespace sctrace::read {

namespace {

const uint8_t* raw(const std::string& address) {
  return reinterpret_cast<const uint8_t*>(address.data());
}

uint16_t family_of(const OpenFile& file) {
  return file.name.size() < 2 ? AF_UNSPEC : peek<uint16_t>(raw(file.name));
}

uint16_t port_of(const std::string& address) {
  return address.size() < 4 ? 0 : ntohs(peek<uint16_t>(raw(address) + 2));
}

std::string host_and_port(const std::string& address) {
  const bool six = address.size() >= 28;
  if (address.size() < 16) return {};
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(six ? AF_INET6 : AF_INET, raw(address) + (six ? 8 : 4), text, sizeof text);
  return fmt::format(fmt::runtime(six ? "[{}]:{}" : "{}:{}"), text, port_of(address));
}

// A protocol that keeps its sockets in a table which anybody may look into, or its bare inode.
std::string internet(const OpenFile& file, const char* six) {
  constexpr uint16_t tcp = 6, udp = 17;
  const bool stream = file.kind == SOCK_STREAM && file.protocol == tcp;
  const bool datagram = file.kind == SOCK_DGRAM && file.protocol == udp;
  if (file.kind == SOCK_RAW) return fmt::format("RAW{}:[{}]", six, file.inode);
  if (!stream && !datagram) return {};
  std::string text = fmt::format("{}", file.inode);
  const bool known = port_of(file.name) != 0;
  if (known) text = host_and_port(file.name);
  if (known && !file.peer.empty()) text += "->" + host_and_port(file.peer);
  return fmt::format("{}{}:[{}]", stream ? "TCP" : "UDP", six, text);
}

std::vector<Value> local(const OpenFile& file, uint64_t peer) {
  std::string text = file.kind == SOCK_STREAM ? "UNIX-STREAM" : "UNIX";
  text += fmt::format(":[{}", file.inode);
  if (peer) text += fmt::format("->{}", peer);
  if (file.name.size() <= 2) return {value_text(text + ']')};
  const bool abstract = file.name[2] == '\0';
  Value name = value_text(file.name.substr(abstract ? 3 : 2));
  name.text = name.text.substr(0, name.text.find('\0'));
  name.whole = name.text.size();
  name.path = true;
  if (abstract) name.unknown = "@";
  return {value_text(text), name};
}

std::string netlink(const OpenFile& file) {
  const uint32_t port = file.name.size() < 8 ? 0 : peek<uint32_t>(raw(file.name) + 4);
  if (!port) return fmt::format("NETLINK:[{}]", file.inode);
  const char* word = word_text(arch::Set::netlink_protocols, file.protocol);
  const std::string protocol =
      word ? std::string(word).substr(std::min<size_t>(std::strlen(word), 8))
           : fmt::format("{}", file.protocol);
  return fmt::format("NETLINK:[{}:{}]", protocol, port);
}

std::vector<Value> device(const OpenFile& file, const char* kind) {
  const uint64_t dev = file.special;
  const uint64_t major = (dev >> 8 & 0xfff) | (dev >> 32 & 0xfffff000),
                 minor = (dev & 0xff) | (dev >> 12 & 0xffffff00);
  Value v = value_text(file.path);
  v.note = fmt::format("{} {}:{}", kind, major, minor);
  return {v};
}

}  // namespace

std::vector<Value> details_of(const OpenFile& file, uint64_t peer_inode) {
  std::string text;
  switch (file.mode & 0170000) {
    case 0020000: return device(file, "char");
    case 0060000: return device(file, "block");
    case 0140000: break;
    default:
      if (file.path != "anon_inode:[pidfd]" || !file.special) return {};
      return {value_text(fmt::format("pid:{}", file.special))};
  }
  switch (family_of(file)) {
    case AF_UNIX: return local(file, peer_inode);
    case AF_INET: text = internet(file, ""); break;
    case AF_INET6: text = internet(file, "v6"); break;
    case AF_NETLINK: text = netlink(file); break;
    default: break;
  }
  return text.empty() ? std::vector<Value>() : std::vector<Value>{value_text(text)};
}

}  // namespace sctrace::read
