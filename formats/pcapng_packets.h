// Packets as they could have been on a wire, from what sockets carried: IPv4 or IPv6 with TCP or
// UDP around a payload, checksums right, so that every dissector takes them. Blocks of a pcapng
// file beside them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace sctrace::packets {

// One end of a connection: 4 or 16 bytes of address.
struct End {
  std::string address = {};
  uint16_t port = 0;
  bool operator==(const End&) const = default;
  bool operator<(const End& other) const {
    return address != other.address ? address < other.address : port < other.port;
  }
};
End end_of(std::string_view sockaddr);  // without address: it is none of IP

enum Flags : uint8_t { fin = 1, syn = 2, push = 8, ack = 16 };

// `whole`: how long the payload was; less of it may be known. Lengths and TCP's numbers are those
// of the whole. Checksums are those of what is known, if that is all.
struct Segment {
  End from, to;
  uint32_t sequence = 0, acknowledged = 0;
  uint8_t flags = ack;
  std::string_view payload = {};
  uint32_t whole = 0;
};
std::string tcp(const Segment& segment);
std::string udp(const Segment& segment);

// An exported PDU for what has no IP: `proto` names the dissector.
std::string upper(std::string_view proto, std::string_view payload);

enum Link : uint16_t { raw_ip = 101, upper_pdu = 252 };

// Blocks.
std::string section(std::string_view host, std::string_view system);
std::string interface(Link link, std::string_view name);
struct Packet {
  uint32_t interface = 0;
  uint64_t when = 0;  // ns since 1970
  std::string_view bytes = {};
  uint64_t whole = 0;  // bytes it had; at least those there are
  bool outbound = false;
  uint64_t dropped = 0;  // before it
  std::string_view comment = {};
};
std::string packet(const Packet& packet);
// At the end, of one interface: calls that are missing, and a word on it.
std::string statistics(uint32_t interface, uint64_t dropped, std::string_view comment);

}  // namespace sctrace::packets
