#include <cstring>
#include <random>

#include "formats/read/decode.h"
#include "formats/text.h"
#include "tests/support/catch.h"

using namespace sctrace;
using Catch::Matchers::Equals;
using sctrace::test::contains;

namespace {

constexpr uint64_t at = 0x10000;

read::Call socket_of(int protocol) {
  read::Call c;
  c.pid = c.tid = 1, c.nr = arch::nr_socket, c.ended = true, c.result = 3;
  c.args[0] = 16, c.args[1] = 3, c.args[2] = static_cast<uint64_t>(protocol);
  c.argc = 3;
  return c;
}

// What print shows of these bytes, sent over a socket of the protocol.
std::string sent(int protocol, const std::string& bytes, uint64_t length = 0) {
  read::NetlinkSockets sockets;
  sockets.learn(socket_of(protocol));
  read::Call c;
  c.pid = c.tid = 1, c.nr = arch::nr_sendto, c.ended = true, c.result = 1;
  c.args[0] = 3, c.args[1] = at, c.args[2] = length ? length : bytes.size();
  c.argc = 6;
  read::Piece p;
  p.address = at, p.wanted = bytes.size();
  p.bytes.assign(bytes.begin(), bytes.end());
  c.memory.push_back(p);
  TextOptions options;
  options.verbose = true;
  TextPrinter printer(options);
  printer.leave(read::decode(c, nullptr, &sockets));
  const std::string& line = printer.out();
  return line.substr(10, line.rfind(", " + std::to_string(c.args[2]) + ", ") - 10);
}

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string message(uint16_t type, const std::string& rest, uint16_t flags = 1) {
  return raw(static_cast<uint32_t>(16 + rest.size())) + raw(type) + raw(flags) +
         std::string(8, '\0') + rest;
}
std::string attribute(uint16_t type, std::string rest) {
  const uint16_t length = static_cast<uint16_t>(4 + rest.size());
  rest.resize((rest.size() + 3) & ~size_t{3});
  return raw(length) + raw(type) + rest;
}
std::string link(const std::string& rest) { return '\1' + std::string(15, '\0') + rest; }

}  // namespace

TEST_CASE("a message is its header, its fixed part and its attributes", "[formats][netlink]") {
  const std::string head =
      "{nlmsg_len=16, nlmsg_type=RTM_GETLINK, nlmsg_flags=NLM_F_REQUEST, "
      "nlmsg_seq=0, nlmsg_pid=0}";
  CHECK_THAT(sent(0, message(0x12, "")), Equals(head));
  CHECK_THAT(sent(0, message(0x12, "") + message(0x12, "")),
             Equals("[" + head + ", " + head + "]"));
  CHECK_THAT(sent(0, message(0x12, "")).substr(0, 30), Equals(head.substr(0, 30)));
  CHECK_THAT(sent(0, message(0x12, "\1")), contains("{ifi_family=AF_UNIX, ...}]"));
  CHECK_THAT(sent(0, message(0x12, link(attribute(4, raw(1500))))),
             contains("[{nla_len=8, nla_type=IFLA_MTU}, 1500]]"));
}

TEST_CASE("attributes nest, and what they hold may depend on others", "[formats][netlink]") {
  const auto kind = [](const char* name, const std::string& data) {
    return sent(0, message(0x12, link(attribute(18, attribute(1, std::string(name) + '\0') +
                                                        attribute(2, data)))));
  };
  CHECK_THAT(kind("bridge", attribute(5, raw(1))),
             contains("{nla_len=8, nla_type=IFLA_BR_STP_STATE}, 1]"));
  CHECK_THAT(kind("other", "abcd"), contains(R"(nla_type=IFLA_INFO_DATA}, "\x61\x62\x63\x64"])"));
  CHECK_THAT(sent(0, message(0x16, "\2" + std::string(7, '\0') + attribute(1, "\1\2\3\4"))),
             contains(R"([{nla_len=8, nla_type=IFA_ADDRESS}, inet_addr("1.2.3.4")]])"));
}

TEST_CASE("protocols have their own types", "[formats][netlink]") {
  CHECK_THAT(sent(12, message(0x0a00, "")), contains("NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_NEWTABLE"));
  CHECK_THAT(sent(4, message(0x14, std::string("\1\0", 2))),
             contains("{sdiag_family=AF_UNIX, ...}"));
  CHECK_THAT(sent(6, message(0x10, "")), contains("nlmsg_type=XFRM_MSG_NEWSA"));
  CHECK_THAT(sent(16, message(0x10, "")), contains("nlmsg_type=nlctrl"));
  CHECK_THAT(sent(15, "add@/devices"), Equals("\"add@/devices\""));
}

TEST_CASE("an error holds the message that it is about", "[formats][netlink]") {
  CHECK_THAT(sent(0, message(2, raw(-13) + message(0x12, ""), 0)),
             contains("{error=-EACCES, msg={nlmsg_len=16, nlmsg_type=RTM_GETLINK"));
}

TEST_CASE("memory that could not be read is an address", "[formats][netlink]") {
  CHECK_THAT(sent(0, message(0x12, ""), 40), contains("pid=0}, ... /* 0x10010 */]"));
  CHECK_THAT(sent(0, std::string(), 16), Equals("0x10000"));
}

TEST_CASE("the tables' own number is known in either order of its bytes", "[formats][netlink]") {
  const auto resource = [](uint16_t type, const std::string& two) {
    const std::string line = sent(12, message(type, std::string("\1\0", 2) + two));
    return line.substr(line.find("res_id="));
  };
  constexpr uint16_t of_tables = 10 << 8, of_connections = 1 << 8;
  CHECK_THAT(resource(of_tables, std::string("\0\12", 2)),
             Equals("res_id=htons(NFNL_SUBSYS_NFTABLES)}]"));
  CHECK_THAT(resource(of_tables, std::string("\12\0", 2)), Equals("res_id=NFNL_SUBSYS_NFTABLES}]"));
  CHECK_THAT(resource(of_tables, "\xab\xcd"), Equals("res_id=htons(43981)}]"));
  CHECK_THAT(resource(of_connections, std::string("\0\12", 2)), Equals("res_id=htons(10)}]"));
}

TEST_CASE("multicast routers have families and attributes of their own", "[formats][netlink]") {
  const auto report = [](unsigned char family, const std::string& rest) {
    return sent(0, message(0x60, static_cast<char>(family) + std::string(3, '\0') + rest));
  };
  CHECK_THAT(report(0x80, attribute(1, "\1")),
             contains("{rtgen_family=RTNL_FAMILY_IPMR}, "
                      "[{nla_len=5, nla_type=IPMRA_CREPORT_MSGTYPE}, IGMPMSG_NOCACHE]]"));
  CHECK_THAT(report(0x81, attribute(1, "\2")), contains("IP6MRA_CREPORT_MSGTYPE}, MRT6MSG_WRONG"));
  CHECK_THAT(report(2, "abcd"), contains("{rtgen_family=AF_INET}, \"\\x61\\x62\\x63\\x64\"]"));
  CHECK_THAT(report(0x7f, ""), contains("{rtgen_family=0x7f /* RTNL_FAMILY_??? */}]"));
}

TEST_CASE("what is told of sockets is known to its end", "[formats][netlink]") {
  const auto of_inet = [](uint16_t type, const std::string& rest) {
    const std::string line =
        sent(4, message(20, '\2' + std::string(71, '\0') + attribute(type, rest), 2));
    return line.substr(line.rfind("nla_type="));
  };
  CHECK_THAT(of_inet(8, "\7"),
             Equals("nla_type=INET_DIAG_SHUTDOWN}, 0x7 /* RCV_SHUTDOWN|SEND_SHUTDOWN|0x4 */]]"));
  CHECK_THAT(of_inet(22, "\x51\5"), contains("{recverr=1, is_icsk=0, freebind=0, hdrincl=0, "));
  CHECK_THAT(of_inet(18, std::string("\2\x18\1\0\x7f\0\0\1", 8) + std::string(12, '\0') + 'k' +
                             std::string(79, '\0')),
             Equals("nla_type=INET_DIAG_MD5SIG}, [{tcpm_family=AF_INET, tcpm_prefixlen=24, "
                    "tcpm_keylen=1, tcpm_addr=inet_addr(\"127.0.0.1\"), tcpm_key=\"\\x6b\"}]]]"));
  const auto asked = [](const std::string& rest) {
    const std::string line =
        sent(4, message(20, '\2' + std::string(55, '\0') + attribute(1, rest), 1));
    return line.substr(line.find("{code="));
  };
  CHECK_THAT(asked(std::string("\7\4\10\0", 4) + raw(0x1802u) + raw(80) + "\x7f" +
                   std::string("\0\0\1", 3)),
             Equals("{code=INET_DIAG_BC_S_COND, yes=4, no=8}, {family=AF_INET, prefix_len=24, "
                    "port=80, addr=inet_addr(\"127.0.0.1\")}]]"));
  CHECK_THAT(asked(std::string("\12\4\10\0", 4) + raw(1) + raw(2)), contains("{mark=1, mask=2}]]"));
  CHECK_THAT(asked(std::string("\3\4\10\0", 4)), Equals("{code=INET_DIAG_BC_S_LE, yes=4, no=8}]]"));
}

TEST_CASE("an identifier of a port has two lengths", "[formats][netlink]") {
  const auto port = [](const std::string& rest) {
    return sent(0, message(0x12, link(attribute(22, attribute(1, attribute(10, rest))))));
  };
  const std::string id = raw(uint64_t{0x1234});
  CHECK_THAT(port(raw(7) + id), contains("IFLA_VF_IB_NODE_GUID}, {vf=7, guid=0x1234}]"));
  CHECK_THAT(port(raw(7) + raw(0) + id), contains("IFLA_VF_IB_NODE_GUID}, {vf=7, guid=0x1234}]"));
  CHECK_THAT(port(raw(7) + "ab"), contains("IFLA_VF_IB_NODE_GUID}, \"\\x07"));
}

TEST_CASE("any bytes give one bounded value", "[formats][netlink][hostile]") {
  std::mt19937 random(1);
  std::string deep = "abcd";
  for (int i = 0; i < 60; ++i) deep = attribute(52, deep);
  const std::string seeds[] = {
      message(0x12, link(deep)),
      message(0x1a, "\2" + std::string(11, '\0') + attribute(9, std::string(8, '\0') + "abcd")),
      message(2, raw(-1) + message(2, raw(-1) + message(2, raw(-1) + message(0x12, "")))),
      message(0x14, "\2" + std::string(80, '\1')),
      message(0x0a00, "\1\0\0\0abcdefgh"),
      std::string(64, '\0'),
      message(0x12, link(attribute(26, attribute(10, attribute(2, deep)))))};
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = seeds[random() % (sizeof seeds / sizeof *seeds)];
    for (unsigned n = random() % 6; n; --n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    for (int protocol : {0, 4, 12, 15}) {
      const std::string text = sent(protocol, bytes, bytes.size() + random() % 3);
      REQUIRE(text.size() < 200'000);
    }
  }
}
