// pcapng: what sockets carried, as packets with addresses, for Wireshark: a connection is shaken
// hands for, its numbers fit, and the comment of each packet is the call. Where both ends of a
// connection are in the trace, each byte is shown once. Sockets without IP are exported PDUs.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <map>
#include <set>

#include "arch/table.h"
#include "formats/call_tree.h"
#include "formats/callers.h"
#include "formats/format.h"
#include "formats/pcapng_packets.h"
#include "formats/pcapng_payload.h"
#include "formats/phrase.h"
#include "formats/read/peers.h"
#include "formats/row.h"
#include "formats/utf8.h"

namespace sctrace {

namespace {

using packets::End;

// A TCP connection. Side and direction 0: the client's; 1: the server's.
struct Flow {
  End ends[2];
  uint64_t inodes[2] = {};   // of the sockets that were seen at either side
  uint64_t seen[2][2] = {};  // bytes, by side and direction
  uint64_t shown[2] = {};    // bytes that are in the file, by direction
};

class Pcapng final : public Sink {
 public:
  Pcapng(Output& to, const Session& session) : to_(to), session_(session) {
    to_.write(packets::section(session.host, session.kernel));
  }

  void birth(const Birth& b) override { who_.birth(b); }
  void name(const Naming& n) override { who_.name(n); }
  void lost(const Loss& loss) override { dropped_ += loss.calls ? loss.calls : 1; }

  void leave(const Event& e) override {
    if (!e.socket || !e.ended) return;
    constexpr int64_t in_progress = 115;
    if (e.nr == arch::nr_connect && (!e.error() || e.error() == in_progress))
      clients_.insert(e.socket->inode);
    for (const packets::Carried& one : packets::carried_by(e)) carry(e, one);
  }

  void end(const Losses& losses) override {
    std::string text;
    for (const Missing& one : missing(losses))
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", one.count, one.what);
    if (interfaces_.empty() && text.empty()) return;
    if (interfaces_.empty()) interface(packets::raw_ip, 0);
    to_.write(packets::statistics(0, losses.calls, text));
  }

 private:
  void carry(const Event& e, const packets::Carried& data) {
    const read::OpenFile& socket = *e.socket;
    constexpr uint16_t tcp = 6, udp = 17;
    const End own = packets::end_of(socket.name);
    End other = packets::end_of(socket.peer);
    if (other.address.empty()) other = data.named;
    const bool placed = !own.address.empty() && own.address.size() == other.address.size();
    if (placed && socket.protocol == tcp) return stream(e, data, own, other);
    if (placed && socket.protocol == udp) return datagram(e, data, own, other);
    Wire wire{e, data.outbound, interface(packets::upper_pdu, e.pid)};
    write(wire, packets::upper("data", data.bytes), data.whole - data.bytes.size(), true);
  }

  struct Wire {
    const Event& event;
    bool outbound;
    uint32_t interface;
  };

  void write(const Wire& wire, const std::string& bytes, uint64_t unknown, bool comment) {
    const Event& e = wire.event;
    std::string text;
    if (comment)
      text = utf8_of(fmt::format("[{}/{} {}] {} <{:.9f}>", e.pid, e.tid, read::peer_of(*e.socket),
                                 phrase(e, session_.words), static_cast<double>(spent(e)) / 1e9)) +
             callers(e.stack);
    to_.write(packets::packet({.interface = wire.interface,
                               .when = e.finished + static_cast<uint64_t>(session_.wall_offset),
                               .bytes = bytes,
                               .whole = bytes.size() + unknown,
                               .outbound = wire.outbound,
                               .dropped = dropped_,
                               .comment = text}));
    dropped_ = 0;
  }

  // A line of the comment, innermost first as in print -k: comments are shown from their start.
  static std::string callers(const Stack& stack) {
    constexpr size_t most = 4096;  // a comment has 64 KiB, and the call has its part of them
    std::string text;
    for (const Frame& frame : stack) {
      if (text.size() > most) return text + " ...";
      (text += text.empty() ? "\nfrom " : " < ") += utf8_of(name_of(frame)).substr(0, most);
    }
    return text;
  }

  // Interfaces are processes: "ls 4242".
  uint32_t interface(packets::Link link, uint32_t pid) {
    const auto [at, is_new] =
        interfaces_.try_emplace({link, pid}, static_cast<uint32_t>(interfaces_.size()));
    if (is_new) {
      const std::string& program = who_.program(pid);
      to_.write(packets::interface(
          link, utf8_of(fmt::format("{} {}{}", program.substr(program.rfind('/') + 1), pid,
                                    link == packets::upper_pdu ? " (no IP)" : ""))));
    }
    return at->second;
  }

  void datagram(const Event& e, const packets::Carried& data, const End& own, const End& other) {
    packets::Segment s{.from = data.outbound ? own : other, .to = data.outbound ? other : own};
    s.payload = data.bytes, s.whole = static_cast<uint32_t>(std::min<uint64_t>(data.whole, 65507));
    s.payload = s.payload.substr(0, s.whole);
    write({e, data.outbound, interface(packets::raw_ip, e.pid)}, packets::udp(s),
          s.whole - s.payload.size(), true);
  }

  // The connection that a socket is an end of. The same addresses again with another socket: the
  // next connection.
  Flow& flow(const Event& e, const End& own, const End& other, int& side) {
    const bool client = clients_.contains(e.socket->inode);
    side = client ? 0 : 1;
    Flow& flow = flows_[client ? std::pair{own, other} : std::pair{other, own}];
    const bool fresh = flow.ends[0].address.empty();
    const bool again = flow.inodes[side] && flow.inodes[side] != e.socket->inode;
    if (fresh || again) {
      flow = {};
      flow.ends[side] = own, flow.ends[!side] = other;
      shake(e, flow, side);
    }
    flow.inodes[side] = e.socket->inode;
    return flow;
  }

  void shake(const Event& e, const Flow& flow, int side) {
    const Wire wire{e, side == 0, interface(packets::raw_ip, e.pid)};
    const Wire back{e, side != 0, wire.interface};
    using namespace packets;
    write(wire, tcp({.from = flow.ends[0], .to = flow.ends[1], .flags = syn}), 0, false);
    write(back,
          tcp({.from = flow.ends[1], .to = flow.ends[0], .acknowledged = 1, .flags = syn | ack}), 0,
          false);
    write(wire, tcp({.from = flow.ends[0], .to = flow.ends[1], .sequence = 1, .acknowledged = 1}),
          0, false);
  }

  void stream(const Event& e, const packets::Carried& data, const End& own, const End& other) {
    int side = 0;
    Flow& flow = this->flow(e, own, other, side);
    const int way = data.outbound ? side : !side;
    const uint64_t begin = flow.seen[side][way], end = begin + data.whole;
    flow.seen[side][way] = end;
    if (end <= flow.shown[way]) return;  // the other side has shown it
    const uint64_t skip = flow.shown[way] > begin ? flow.shown[way] - begin : 0;
    std::string_view payload = data.bytes;
    payload.remove_prefix(std::min<uint64_t>(skip, payload.size()));
    const Wire wire{e, data.outbound, interface(packets::raw_ip, e.pid)};
    constexpr uint64_t most = 60'000;  // IPv4 counts to 65535
    for (bool first = true; flow.shown[way] < end; first = false) {
      const uint64_t n = std::min(most, end - flow.shown[way]);
      const std::string_view part = payload.substr(0, n);
      write(wire,
            packets::tcp({.from = flow.ends[way],
                          .to = flow.ends[!way],
                          .sequence = static_cast<uint32_t>(1 + flow.shown[way]),
                          .acknowledged = static_cast<uint32_t>(1 + flow.shown[!way]),
                          .flags = packets::push | packets::ack,
                          .payload = part,
                          .whole = static_cast<uint32_t>(n)}),
            n - part.size(), first);
      payload.remove_prefix(part.size());
      flow.shown[way] += n;
    }
  }

  Output& to_;
  const Session& session_;
  Who who_;
  uint64_t dropped_ = 0;
  std::map<std::pair<uint16_t, uint32_t>, uint32_t> interfaces_;  // by link and pid
  std::set<uint64_t> clients_;                                    // inodes that connected
  std::map<std::pair<End, End>, Flow> flows_;                     // by client and server
};

}  // namespace

extern const Format pcapng;
const Format pcapng{.name = "pcapng",
                    .help = "packets for Wireshark: what sockets carried, each with its call",
                    .target = Target::binary,
                    .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                      return std::make_unique<Pcapng>(to, session);
                    }};

}  // namespace sctrace
