#include "formats/pcapng_packets.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace sctrace::packets {

namespace {

// In the network's order.
void put_big(std::string& to, uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) to += static_cast<char>(value >> shift);
}

template <typename T>
void put_own(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof bytes);
}

uint32_t sum(std::string_view bytes, uint32_t so_far = 0) {
  for (size_t i = 0; i < bytes.size(); ++i)
    so_far += static_cast<unsigned char>(bytes[i]) << (i % 2 ? 0 : 8),
        so_far = (so_far & 0xffff) + (so_far >> 16);
  return so_far;
}

uint16_t checksum(uint32_t of) {
  of = (of & 0xffff) + (of >> 16);
  return static_cast<uint16_t>(~of);
}

constexpr uint8_t tcp_number = 6, udp_number = 17;

// `head` has its checksum's two bytes zero at `at`.
std::string wrapped(const Segment& s, uint8_t protocol, std::string head, size_t at) {
  const uint32_t length = static_cast<uint32_t>(head.size()) + s.whole;
  std::string pseudo = s.from.address + s.to.address;
  put_big(pseudo, protocol, 4);
  put_big(pseudo, length, 4);
  if (s.payload.size() == s.whole) {
    uint16_t check = checksum(sum(s.payload, sum(head, sum(pseudo))));
    if (!check && protocol == udp_number) check = 0xffff;
    head[at] = static_cast<char>(check >> 8), head[at + 1] = static_cast<char>(check);
  }
  std::string ip;
  if (s.from.address.size() == 4) {
    put_big(ip, 0x4500, 2), put_big(ip, 20 + length, 2);
    put_big(ip, 0x00004000, 4);  // don't fragment
    put_big(ip, 64 << 8 | protocol, 2), put_big(ip, 0, 2);
    ip += s.from.address + s.to.address;
    const uint16_t check = checksum(sum(ip));
    ip[10] = static_cast<char>(check >> 8), ip[11] = static_cast<char>(check);
  } else {
    put_big(ip, 0x60000000, 4), put_big(ip, length, 2);
    put_big(ip, protocol << 8 | 64, 2);
    ip += s.from.address + s.to.address;
  }
  return ip + head + std::string(s.payload);
}

std::string block(uint32_t type, std::string body) {
  body.resize((body.size() + 3) / 4 * 4);
  const auto length = static_cast<uint32_t>(body.size() + 12);
  std::string all;
  put_own(all, type), put_own(all, length);
  all += body;
  put_own(all, length);
  return all;
}

void put_option(std::string& to, uint16_t code, std::string_view value) {
  value = value.substr(0, 65535);
  put_own(to, code), put_own(to, static_cast<uint16_t>(value.size()));
  to += value;
  to.resize((to.size() + 3) / 4 * 4);
}

void put_tag(std::string& to, uint16_t tag, std::string value) {
  value.resize((value.size() + 3) / 4 * 4);
  put_big(to, tag, 2), put_big(to, value.size(), 2);
  to += value;
}

}  // namespace

End end_of(std::string_view sockaddr) {
  if (sockaddr.size() < 8) return {};
  uint16_t family = 0;
  std::memcpy(&family, sockaddr.data(), 2);
  const auto port = static_cast<uint16_t>(static_cast<unsigned char>(sockaddr[2]) << 8 |
                                          static_cast<unsigned char>(sockaddr[3]));
  if (family == AF_INET) return {std::string(sockaddr.substr(4, 4)), port};
  if (family == AF_INET6 && sockaddr.size() >= 24)
    return {std::string(sockaddr.substr(8, 16)), port};
  return {};
}

std::string tcp(const Segment& s) {
  std::string head;
  put_big(head, s.from.port, 2), put_big(head, s.to.port, 2);
  put_big(head, s.sequence, 4), put_big(head, s.flags & ack ? s.acknowledged : 0, 4);
  put_big(head, 0x5000 | s.flags, 2), put_big(head, 65535, 2);
  put_big(head, 0, 4);  // checksum, urgent
  return wrapped(s, tcp_number, std::move(head), 16);
}

std::string udp(const Segment& s) {
  std::string head;
  put_big(head, s.from.port, 2), put_big(head, s.to.port, 2);
  put_big(head, 8 + s.whole, 2), put_big(head, 0, 2);
  return wrapped(s, udp_number, std::move(head), 6);
}

std::string upper(std::string_view proto, std::string_view payload) {
  std::string all;
  put_tag(all, 12, std::string(proto));
  put_big(all, 0, 4);
  return all + std::string(payload);
}

std::string section(std::string_view host, std::string_view system) {
  std::string body;
  put_own(body, uint32_t{0x1a2b3c4d}), put_own(body, uint16_t{1}), put_own(body, uint16_t{0});
  put_own(body, int64_t{-1});
  if (!host.empty()) put_option(body, 1, host);
  if (!system.empty()) put_option(body, 3, system);
  put_option(body, 4, "sctrace 0.1.0");
  put_own(body, uint32_t{0});
  return block(0x0a0d0d0a, std::move(body));
}

std::string interface(Link link, std::string_view name) {
  std::string body;
  put_own(body, static_cast<uint16_t>(link)), put_own(body, uint16_t{0}),
      put_own(body, uint32_t{0});
  put_option(body, 2, name);
  put_option(body, 9, "\x09");  // times in ns
  put_own(body, uint32_t{0});
  return block(1, std::move(body));
}

std::string packet(const Packet& p) {
  std::string body;
  put_own(body, p.interface);
  put_own(body, static_cast<uint32_t>(p.when >> 32)), put_own(body, static_cast<uint32_t>(p.when));
  put_own(body, static_cast<uint32_t>(p.bytes.size()));
  put_own(body, static_cast<uint32_t>(std::max<uint64_t>(p.whole, p.bytes.size())));
  body += p.bytes;
  body.resize((body.size() + 3) / 4 * 4);
  if (!p.comment.empty()) put_option(body, 1, p.comment);
  std::string flags;
  put_own(flags, uint32_t{p.outbound ? 2u : 1u});
  put_option(body, 2, flags);
  if (p.dropped) {
    std::string count;
    put_own(count, p.dropped);
    put_option(body, 4, count);
  }
  put_own(body, uint32_t{0});
  return block(6, std::move(body));
}

std::string statistics(uint32_t interface, uint64_t dropped, std::string_view comment) {
  std::string body, count;
  put_own(body, interface), put_own(body, uint64_t{0});
  if (!comment.empty()) put_option(body, 1, comment);
  put_own(count, dropped);
  put_option(body, 5, count);
  put_own(body, uint32_t{0});
  return block(5, std::move(body));
}

}  // namespace sctrace::packets
