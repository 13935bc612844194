#include "formats/device/hub.h"

#include <cstring>
#include <memory>
#include "tests/support/catch.h"

#include "arch/table.h"

using namespace sctrace;
using device::Hub;
using wire::SlotState;
using wire::Stop;
using wire::Verdict;

namespace {

// A page, the hub on it, and a thread that asks as preload/control.cc does.
struct Scene {
  static std::unique_ptr<wire::ControlPage> empty() {
    auto page = std::make_unique<wire::ControlPage>();
    page->slot_count = wire::control_slots;
    return page;
  }
  std::unique_ptr<wire::ControlPage> page = empty();
  Hub hub{*page, [](uint32_t) {}};
  wire::ControlSlot& slot = page->slots[0];

  int controller(const char* first_line) {
    const int id = hub.connect();
    say(id, first_line);
    return id;
  }
  void say(int id, const std::string& line) { hub.hear(id, line + "\n"); }
  std::string heard(int id) { return hub.take_output(id); }
  void ask(Stop stop) {
    slot.pid = slot.tid = 7;
    slot.stop = stop;
    slot.state = SlotState::asked;
    page->asking[0] |= 1;
    hub.look(0);
  }
  // write(fd, text, length), its text at an address of its own.
  void write(uint64_t fd, std::string text) {
    const uint64_t address = 0x1000;
    uint8_t* at = slot.data;
    const wire::Header head{4, wire::Type::entry, 0, 0};
    const uint16_t nr = arch::nr_write, site = wire::site_bits | 3 << wire::argc_shift;
    const uint32_t args[3] = {static_cast<uint32_t>(fd), static_cast<uint32_t>(address),
                              static_cast<uint32_t>(text.size())};
    std::memset(at, 0, 32);
    std::memcpy(at, &head, 8), std::memcpy(at + 8, &nr, 2), std::memcpy(at + 10, &site, 2);
    std::memcpy(at + 12, args, sizeof args);
    const uint64_t padded = (text.size() + 7) / 8 * 8;
    wire::Data data{static_cast<uint16_t>(2 + padded / 8), wire::Type::data, 0,
                    static_cast<uint32_t>(text.size()), wire::data_where(address, text.size())};
    std::memcpy(at + 32, &data, sizeof data);
    std::memset(at + 48, 0, padded);
    std::memcpy(at + 48, text.data(), text.size());
    slot.bytes = static_cast<uint32_t>(48 + padded);
    slot.number = nr;
    slot.args[0] = fd, slot.args[1] = address, slot.args[2] = text.size();
    ask(Stop::entry);
  }
  bool answered() const { return slot.state == SlotState::answered; }
};

}  // namespace

TEST_CASE("the words of the protocol do what they say", "[formats][device]") {
  Scene s;
  const int c = s.controller("trace write");
  CHECK(s.page->wants[arch::nr_write] == 1);
  CHECK(s.page->wants[arch::nr_read] == 0);
  s.write(2, "this is data");
  REQUIRE(s.heard(c) == "7.7 write 2, \"this is data\", 12\n");
  SECTION("skip-fail") {
    s.say(c, "skip-fail EIO");
    CHECK((s.answered() && s.slot.verdict == Verdict::answer && s.slot.result == -5));
  }
  SECTION("skip-ok") {
    s.say(c, "skip-ok 12");
    CHECK((s.answered() && s.slot.verdict == Verdict::answer && s.slot.result == 12));
  }
  SECTION("cont") {
    s.say(c, "cont");
    CHECK((s.answered() && s.slot.verdict == Verdict::go_on && !s.slot.stops_after));
  }
  SECTION("another call, then step, then another result") {
    s.say(c, "write 4, \"this is data\", 12");
    CHECK(!s.answered());
    s.say(c, "step");
    CHECK((s.answered() && s.slot.stops_after && s.slot.args[0] == 4 && s.slot.args[1] == 0x1000));
    s.slot.result = 12;
    s.ask(Stop::exit);
    CHECK(s.heard(c) == "7.7 ok 12\n");
    s.say(c, "7.7 fail EAGAIN");
    CHECK((s.answered() && s.slot.result == -11));
  }
  SECTION("other bytes") {
    s.say(c, "write 2, \"\\\"new\\n\", 5");
    s.say(c, "cont");
    REQUIRE((s.slot.placed[1] == 0 && s.slot.kept >= 5));
    CHECK(std::memcmp(s.slot.data, "\"new\n", 5) == 0);
  }
  SECTION("get") {
    s.say(c, "get 1");
    CHECK(s.heard(c) == "error get 1: it is no memory whose length is known\n");
    s.say(c, "get 2 5 2");
    REQUIRE((s.answered() && s.slot.verdict == Verdict::get && s.slot.address == 0x1005));
    std::memcpy(s.slot.data, "is", 2);
    s.slot.result = 0;
    s.ask(Stop::reply);
    CHECK(s.heard(c) == "7.7 data 2 \"is\"\n");
  }
  SECTION("set, and lines that come before it is done wait") {
    s.say(c, "set 2 \"THIS\"");
    s.say(c, "cont");
    REQUIRE((s.answered() && s.slot.verdict == Verdict::set && s.slot.bytes == 4));
    s.slot.result = -14;
    s.ask(Stop::reply);
    CHECK(s.heard(c) == "error set 2 \"THIS\": that memory cannot be written\n");
    CHECK((s.answered() && s.slot.verdict == Verdict::go_on));
  }
  SECTION("a line without sense changes nothing") {
    auto [line, why] = GENERATE(table<const char*, const char*>({
        {"", "an empty line"},
        {"nonsense", "no word of the protocol and no system call"},
        {"write 4, \"x\"",
         "argument 2: '\"x\"' makes no sense here, where it would be \"this is data\""},
        {"write 4, \"x, 12", "arguments that are not well formed"},
        {"write 4, {}, 12",
         "argument 2: '{' makes no sense here, where it would be \"this is data\""},
        {"set 2 \"this is more data\"", "beyond the buffer, which has 12 bytes"},
        {"set 7 \"x\"", "expected an argument from 1 to 6"},
        {"ok 12", "a call waits: cont, step, skip-fail, skip-ok, set, get or another call"},
        {"9.9 cont", "that thread waits for no answer"},
        {"9 cont", "PID.TID expected in front of an answer"},
        {"skip-fail EFOO", "expected an error's name"},
        {"limit x", "expected a number of bytes"},
    }));
    s.say(c, line);
    CHECK(s.heard(c) == std::string("error ") + line + ": " + why + "\n");
    CHECK(!s.answered());
  }
  SECTION("hanging up lets it go") {
    s.hub.hang_up(c);
    CHECK((s.answered() && s.slot.verdict == Verdict::go_on && s.slot.args[0] == 2));
    CHECK(s.page->wants[arch::nr_write] == 0);
  }
  SECTION("what is no longer traced goes on") {
    s.say(c, "trace none");
    CHECK((s.answered() && s.slot.verdict == Verdict::go_on));
  }
  SECTION("a controller that is late") {
    s.say(c, "patience 1s");
    s.hub.pass_time(2'000'000'000);
    CHECK(s.heard(c) == "7.7 late\n");
    CHECK(s.answered());
  }
  SECTION("a signal's handler came first") {
    s.slot.state = SlotState::withdrawn;
    s.page->asking[0] |= 1;
    s.hub.look(0);
    CHECK(s.heard(c) == "7.7 withdrawn\n");
    CHECK(s.slot.state == SlotState::free);
  }
}

TEST_CASE("the newest controller is outermost", "[formats][device]") {
  Scene s;
  const int observer = s.controller("trace write"), alters = s.controller("trace write"),
            skips = s.controller("trace write");
  s.write(2, "abc");
  CHECK(s.heard(observer).empty());
  CHECK(s.heard(alters).empty());
  REQUIRE(s.heard(skips) == "7.7 write 2, \"abc\", 3\n");
  SECTION("what it skips, nobody further in sees") {
    s.say(skips, "skip-ok 3");
    CHECK((s.answered() && s.slot.verdict == Verdict::answer));
    CHECK(s.heard(alters).empty());
    CHECK(s.heard(observer).empty());
  }
  SECTION("what one alters, those further in see altered") {
    s.say(skips, "step");
    CHECK(s.heard(alters) == "7.7 write 2, \"abc\", 3\n");
    s.say(alters, "write 5, \"xyz!\", 4");
    s.say(alters, "step");
    CHECK(s.heard(observer) == "7.7 write 5, \"xyz!\", 4\n");
    s.say(observer, "skip-fail EIO");
    REQUIRE((s.answered() && s.slot.verdict == Verdict::answer && s.slot.stops_after));
    s.ask(Stop::exit);
    CHECK(s.heard(observer).empty());
    REQUIRE(s.heard(alters) == "7.7 fail EIO\n");
    s.say(alters, "ok 3");
    REQUIRE(s.heard(skips) == "7.7 ok 3\n");
    s.say(skips, "cont");
    CHECK((s.answered() && s.slot.result == 3));
  }
  SECTION("one that hangs up is passed over") {
    s.hub.hang_up(skips);
    CHECK(s.heard(alters) == "7.7 write 2, \"abc\", 3\n");
  }
}

TEST_CASE("signals, births and ends are told", "[formats][device]") {
  Scene s;
  const int c = s.controller("signals on");
  CHECK(s.page->signals == 1);
  s.slot.number = 42;
  s.ask(Stop::fork);
  CHECK(s.heard(c) == "7.7 fork 42\n");
  CHECK(s.answered());
  std::memcpy(s.slot.data, "/bin/ls", 7), s.slot.bytes = 7;
  s.ask(Stop::exec);
  CHECK(s.heard(c) == "7.7 exec \"/bin/ls\"\n");
  const int32_t info[32] = {2, 0, 0, 0, 17, 0};
  std::memcpy(s.slot.data, info, sizeof info), s.slot.bytes = sizeof info;
  s.slot.number = 2;
  s.ask(Stop::signal);
  REQUIRE(s.heard(c) == "7.7 signal SIGINT {si_code=SI_USER, si_pid=17, si_uid=0}\n");
  s.say(c, "signal SIGTERM");
  CHECK((s.answered() && s.slot.number == 15));
}

TEST_CASE("slots with nonsense in them are calls without memory", "[formats][device]") {
  Scene s;
  const int c = s.controller("trace all");
  s.slot.bytes = 9999, s.slot.number = arch::nr_getpid;
  std::memset(s.slot.data, 0xff, sizeof s.slot.data);
  s.ask(Stop::entry);
  CHECK(s.heard(c) == "7.7 getpid\n");
}
