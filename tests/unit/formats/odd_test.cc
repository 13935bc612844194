#include <algorithm>
#include <cstring>

#include "formats/read/decode.h"
#include "formats/text.h"
#include "tests/support/catch.h"

using namespace sctrace;
using Catch::Matchers::Equals;

namespace {

read::Call call(uint32_t nr, std::initializer_list<uint64_t> args, int64_t result) {
  read::Call c;
  c.pid = c.tid = 100;
  c.nr = nr;
  c.ended = true;
  c.result = result;
  for (uint64_t a : args) c.args[c.argc++] = a;
  return c;
}

void put(read::Call& c, uint64_t address, const void* bytes, size_t n) {
  read::Piece p;
  p.address = address;
  p.bytes.assign(static_cast<const uint8_t*>(bytes), static_cast<const uint8_t*>(bytes) + n);
  p.wanted = n;
  c.memory.push_back(p);
}

std::string line(const read::Call& c) {
  TextOptions options;
  options.column = 1;
  TextPrinter printer(options);
  printer.leave(read::decode(c));
  std::string text = printer.out();
  text.resize(text.find(" = "));
  return text;
}

}  // namespace

TEST_CASE("flags make other arguments meaningless", "[formats][decode]") {
  read::Call c = call(arch::nr_mount, {0x1000, 0x1000, 0x1000, 0x1000, 0x1000}, -1);
  put(c, 0x1000, "x", 2);
  CHECK_THAT(line(c), Equals(R"(mount("x", "x", 0x1000, MS_BIND, 0x1000))"));
  c.args[3] = 0x20;
  CHECK_THAT(line(c), Equals(R"(mount("x", "x", 0x1000, MS_REMOUNT, "x"))"));
  CHECK_THAT(line(call(arch::nr_syslog, {0, 0x1000, 1}, -1)),
             Equals("syslog(0 /* SYSLOG_ACTION_CLOSE */)"));
  CHECK_THAT(line(call(arch::nr_kcmp, {1, 2, 1, 3, 4}, 0)), Equals("kcmp(1, 2, KCMP_VM)"));
  CHECK_THAT(line(call(arch::nr_kcmp, {1, 2, 0, 3, 4}, 0)), Equals("kcmp(1, 2, KCMP_FILE, 3, 4)"));
}

TEST_CASE("an option of netlink is a number or too short for one", "[formats][decode]") {
  constexpr uint64_t level = 270, membership = 1;
  const auto set = [&](uint64_t length) {
    read::Call c = call(arch::nr_setsockopt, {3, level, membership, 0x1000, length}, -22);
    const uint8_t bytes[5] = {7};
    put(c, 0x1000, bytes, std::min<uint64_t>(length, sizeof bytes));
    const std::string all = line(c);
    return all.substr(all.find("MEMBERSHIP, ") + 12);
  };
  CHECK_THAT(set(3), Equals("0x1000, 3)"));
  CHECK_THAT(set(4), Equals("[7], 4)"));
  CHECK_THAT(set(5), Equals("[7], 5)"));
}

TEST_CASE("of a file's state only what the kernel filled is shown", "[formats][decode]") {
  const auto stat = [](uint32_t mask) {
    read::Call c = call(arch::nr_statx, {3, 0, 0, 0, 0x1000}, 0);
    uint8_t bytes[256] = {};
    std::memcpy(bytes, &mask, sizeof mask);
    put(c, 0x1000, bytes, sizeof bytes);
    c.memory.back().out = true;
    const std::string all = line(c);
    return all.substr(all.find('{'));
  };
  CHECK_THAT(stat(0), Equals("{stx_mask=0, stx_attributes=0, ...})"));
  CHECK_THAT(stat(0x200), Equals("{stx_mask=STATX_SIZE, stx_attributes=0, stx_size=0, ...})"));
}

TEST_CASE("without an address nobody looks at its length", "[formats][decode]") {
  read::Call c = call(arch::nr_accept, {3, 0, 0x1000}, -9);
  const int length = 16;
  put(c, 0x1000, &length, sizeof length);
  CHECK_THAT(line(c), Equals("accept(3, NULL, 0x1000)"));
}

TEST_CASE("the protocol of a socket is of its family", "[formats][decode]") {
  CHECK_THAT(line(call(arch::nr_socket, {29, 3, 1}, 3)),
             Equals("socket(AF_CAN, SOCK_RAW, CAN_RAW)"));
  CHECK_THAT(line(call(arch::nr_socket, {35, 3, 9}, 3)),
             Equals("socket(AF_PHONET, SOCK_RAW, 0x9 /* PN_PROTO_??? */)"));
}

TEST_CASE("call signs are readable where they make sense", "[formats][decode]") {
  uint8_t address[16 + 7] = {3, 0, 'V' << 1, 'A' << 1, 'L' << 1, 'I' << 1, 'D' << 1, ' ' << 1, 26};
  read::Call c = call(arch::nr_connect, {3, 0x1000, 16}, -9);
  SECTION("one alone") {
    put(c, 0x1000, address, 16);
    CHECK_THAT(line(c), Equals("connect(3, {sa_family=AF_AX25, sax25_call=VALID-13, "
                               "sax25_ndigis=0}, 16)"));
  }
  SECTION("one that hands on, with small letters") {
    address[12] = 1;
    std::memcpy(address + 16, "\xe6\xda\xc2\xd8\xd8\xe6\x12", 7);
    put(c, 0x1000, address, 23);
    c.args[2] = 23;
    CHECK_THAT(line(c), Equals("connect(3, {sa_family=AF_AX25, fsa_ax25={sax25_call=VALID-13, "
                               "sax25_ndigis=1}, fsa_digipeater=[{ax25_call="
                               R"("\xe6\xda\xc2\xd8\xd8\xe6\x12"} /* smalls-9 */]}, 23))"));
  }
}

namespace {

std::string result(const read::Call& c, TextOptions options = {}) {
  options.column = 1;
  TextPrinter printer(options);
  printer.leave(read::decode(c));
  std::string text = printer.out();
  return text.substr(text.find(" = ") + 3, text.find('\n') - text.find(" = ") - 3);
}

}  // namespace

TEST_CASE("results that are words say so behind their number", "[formats][decode]") {
  constexpr uint64_t fp_mode = 46, sve_get = 51, tagged = 56, request = 0x1023;
  CHECK_THAT(result(call(arch::nr_prctl, {fp_mode}, 1)), Equals("0x1 (PR_FP_MODE_FR)"));
  CHECK_THAT(result(call(arch::nr_prctl, {fp_mode}, 32)), Equals("0x20"));
  constexpr uint64_t keys_get = 61;
  CHECK_THAT(result(call(arch::nr_prctl, {keys_get, 0, 0, 0, 0}, 1)),
             Equals("0x1 (PR_PAC_APIAKEY)"));
  CHECK_THAT(result(call(arch::nr_prctl, {keys_get, 0, 0, 0, 0}, 0)), Equals("0"));
  CHECK_THAT(result(call(arch::nr_prctl, {sve_get}, 0x20010)),
             Equals("0x20010 (PR_SVE_VL_INHERIT|0x10)"));
  CHECK_THAT(result(call(arch::nr_prctl, {tagged, 0, 0, 0, 0}, 0)),
             Equals("0 (!PR_TAGGED_ADDR_ENABLE|PR_MTE_TCF_NONE)"));
  CHECK_THAT(result(call(arch::nr_arch_prctl, {request, 0}, 1)), Equals("0x1 (XFEATURE_MASK_FP)"));
  TextOptions raw, both;
  raw.names = TextOptions::Names::raw, both.names = TextOptions::Names::both;
  CHECK_THAT(result(call(arch::nr_prctl, {fp_mode}, 1), raw), Equals("0x1"));
  CHECK_THAT(result(call(arch::nr_prctl, {fp_mode}, 1), both), Equals("0x1 (PR_FP_MODE_FR)"));
}

TEST_CASE("clone3 shows what it wrote where its struct points", "[formats][decode]") {
  constexpr uint64_t parent_settid = 0x100000;
  uint64_t args[8] = {parent_settid, 0, 0, 0x2000, 0, 0, 0, 0};
  read::Call c = call(arch::nr_clone3, {0x1000, sizeof args}, 123);
  put(c, 0x1000, args, sizeof args);
  const int32_t tid = 123;
  put(c, 0x2000, &tid, sizeof tid);
  c.memory.back().out = true;
  CHECK_THAT(line(c), Equals("clone3({flags=CLONE_PARENT_SETTID, parent_tid=0x2000, exit_signal=0, "
                             "stack=NULL, stack_size=0} => {parent_tid=[123]}, 64)"));
  c.memory.pop_back();
  CHECK_THAT(line(c), Equals("clone3({flags=CLONE_PARENT_SETTID, parent_tid=0x2000, exit_signal=0, "
                             "stack=NULL, stack_size=0} => {parent_tid=0x2000}, 64)"));
}

TEST_CASE("how a speculation is set depends on which it is", "[formats][decode]") {
  CHECK_THAT(line(call(arch::nr_prctl, {53, 0, 4}, -25)),
             Equals("prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE)"));
  CHECK_THAT(line(call(arch::nr_prctl, {53, 3, 4}, -25)),
             Equals("prctl(PR_SET_SPECULATION_CTRL, 0x3 /* PR_SPEC_??? */, 0x4)"));
}

TEST_CASE("of sets no more are ready than the call says", "[formats][decode]") {
  read::Call c = call(arch::nr_select, {8, 0x1000, 0x2000, 0, 0}, 2);
  const uint64_t asked = 0x0e, none = 0;
  for (const uint64_t at : {0x1000, 0x2000}) put(c, at, &asked, sizeof asked);
  const auto left = [&](uint64_t in, uint64_t out) {
    c.memory.resize(2);
    put(c, 0x1000, &in, sizeof in);
    put(c, 0x2000, &out, sizeof out);
    c.memory[2].out = c.memory[3].out = true;
    return result(c);
  };
  CHECK_THAT(left(0x0e, 0x0e), Equals("2 (in [1 2])"));
  CHECK_THAT(left(0x02, 0x0e), Equals("2 (in [1], out [1])"));
  CHECK_THAT(left(none, none), Equals("2 ()"));
}

TEST_CASE("what is left of a time is behind a pointer too", "[formats][decode]") {
  read::Call c = call(arch::nr_recvmmsg, {3, 0x2000, 1, 0x40, 0x1000}, 1);
  const uint64_t before[2] = {1, 0}, after[2] = {0, 7};
  put(c, 0x1000, before, sizeof before);
  put(c, 0x1000, after, sizeof after);
  c.memory.back().out = true;
  CHECK_THAT(result(c), Equals("1 (left {tv_sec=0, tv_nsec=7})"));
  TextOptions options;
  options.followed.reset(arch::nr_recvmmsg);
  CHECK_THAT(result(c, options), Equals("1"));
}

TEST_CASE("ticks are seconds in every style but the raw one", "[formats][decode]") {
  TextOptions raw;
  raw.names = TextOptions::Names::raw;
  CHECK_THAT(shown(read::ticks_value(51), {}), Equals("51 /* 0.51 s */"));
  CHECK_THAT(shown(read::ticks_value(51), raw), Equals("51"));
}
