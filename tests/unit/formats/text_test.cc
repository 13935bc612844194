#include "formats/text.h"
#include "formats/text_quotes.h"
#include "tests/support/catch.h"

#include "formats/read/decode.h"
#include "formats/text_filter.h"

using namespace sctrace;
using Catch::Matchers::Equals;

namespace {

Event event(uint32_t tid, uint32_t nr, std::initializer_list<uint64_t> args, int64_t result,
            bool ended = true) {
  read::Call c;
  c.pid = c.tid = tid;
  c.nr = nr;
  c.ended = ended;
  c.result = result;
  for (uint64_t a : args) c.args[c.argc++] = a;
  return read::decode(c);
}

}  // namespace

TEST_CASE("strings are quoted as C does", "[formats][text]") {
  TextOptions options;
  const auto [given, plain, hex] = GENERATE(table<std::string, std::string, std::string>({
      {"abc", R"("abc")", R"("abc")"},
      {"a\"\\\t\n", R"("a\"\\\t\n")", R"("a\"\\\t\n")"},
      {std::string("\0001", 2), R"("\0001")", R"("\x00\x31")"},
      {std::string("\1z", 2), R"("\1z")", R"("\x01\x7a")"},
      {"\377", R"("\377")", R"("\xff")"},
  }));
  DYNAMIC_SECTION(plain) {
    CHECK_THAT(shown(value_text(given), options), Equals(plain));
    options.hex = 1;
    CHECK_THAT(shown(value_text(given), options), Equals(hex));
  }
}

TEST_CASE("a string longer than -s goes on with dots", "[formats][text]") {
  TextOptions options;
  options.strsize = 3;
  CHECK_THAT(shown(value_text("abc"), options), Equals(R"("abc")"));
  CHECK_THAT(shown(value_text("abcd"), options), Equals(R"("abc"...)"));
}

TEST_CASE("constants are shown in the style of -X", "[formats][text]") {
  TextOptions options;
  const Value whence = read::word(arch::Set::seek_whence, 2),
              odd = read::word(arch::Set::seek_whence, 77);
  SECTION("abbrev") {
    CHECK_THAT(shown(whence, options), Equals("SEEK_END"));
    CHECK_THAT(shown(odd, options), Equals("0x4d /* SEEK_??? */"));
  }
  SECTION("raw") {
    options.names = TextOptions::Names::raw;
    CHECK_THAT(shown(whence, options), Equals("0x2"));
    CHECK_THAT(shown(odd, options), Equals("0x4d"));
  }
  SECTION("verbose") {
    options.names = TextOptions::Names::both;
    CHECK_THAT(shown(whence, options), Equals("0x2 /* SEEK_END */"));
  }
}

TEST_CASE("flags are joined, what is unknown follows in hex", "[formats][text]") {
  const TextOptions options;
  CHECK_THAT(shown(read::words(arch::Set::protection, 0), options), Equals("PROT_NONE"));
  CHECK_THAT(shown(read::words(arch::Set::protection, 3), options), Equals("PROT_READ|PROT_WRITE"));
  CHECK_THAT(shown(read::words(arch::Set::umount_flags, 0x12), options), Equals("MNT_DETACH|0x10"));
  CHECK_THAT(shown(read::words(arch::Set::umount_flags, 0x10), options),
             Equals("0x10 /* MNT_??? */"));
  CHECK_THAT(shown(read::words(arch::Set::umount_flags, 0), options), Equals("0"));
}

TEST_CASE("the result stands in its column", "[formats][text]") {
  TextPrinter printer({});
  printer.leave(event(1, arch::nr_close, {3}, 0));
  printer.leave(event(1, arch::nr_brk, {0}, 0x5000));
  printer.leave(event(1, arch::nr_umask, {022}, 077));
  CHECK_THAT(printer.out(), Equals("close(3)                                = 0\n"
                                   "brk(NULL)                               = 0x5000\n"
                                   "umask(022)                              = 077\n"));
}

TEST_CASE("a call whose time nobody saw shows none", "[formats][text]") {
  TextOptions options;
  options.spent = true;
  TextPrinter printer(options);
  Event one = event(1, arch::nr_close, {3}, 0);
  one.began = 1'000'000'000, one.finished = 1'000'007'000;
  printer.leave(one);
  one.timed = false;
  printer.leave(one);
  CHECK_THAT(printer.out(), Equals("close(3)                                = 0 <0.000007>\n"
                                   "close(3)                                = 0\n"));
}

TEST_CASE("a call that another thread interrupts is resumed", "[formats][text]") {
  TextOptions options;
  options.follow = options.file = true;
  TextPrinter printer(options);
  printer.enter(event(7, arch::nr_wait4, {~0ull, 0x1000, 0, 0}, 0, false));
  printer.enter(event(8, arch::nr_close, {3}, 0, false));
  printer.leave(event(8, arch::nr_close, {3}, 0));
  printer.leave(event(7, arch::nr_wait4, {~0ull, 0, 0, 0}, 8));
  CHECK_THAT(printer.out(), Equals("7     wait4(-1,  <unfinished ...>\n"
                                   "8     close(3)                          = 0\n"
                                   "7     <... wait4 resumed>NULL, 0, NULL) = 8\n"));
}

TEST_CASE("-Y says what processes are called, where their numbers stand", "[formats][text]") {
  TextOptions options;
  options.follow = options.file = true;
  Value pid = value_number(7);
  pid.text = "a<b";
  CHECK_THAT(shown(pid, options), Equals("7"));
  options.tasks = true;
  CHECK_THAT(shown(pid, options), Equals("7<a\\74b>"));
  TextPrinter printer(options);
  printer.named(7, "cat");
  printer.leave(event(7, arch::nr_close, {3}, 0));
  printer.leave(event(8, arch::nr_close, {3}, 0));
  CHECK_THAT(printer.out(), Equals("7<cat> close(3)                         = 0\n"
                                   "8     close(3)                          = 0\n"));
}

TEST_CASE("a call that never came back says so", "[formats][text]") {
  TextPrinter printer({});
  SECTION("exit") {
    printer.enter(event(1, arch::nr_exit_group, {3}, 0, false));
    printer.gone({1, 1, 0}, {Departure::How::exited, 3, false});
    CHECK_THAT(printer.out(),
               Equals("exit_group(3)                           = ?\n+++ exited with 3 +++\n"));
  }
  SECTION("the trace ends") {
    printer.enter(event(1, arch::nr_pause, {}, 0, false));
    printer.end({});
    CHECK_THAT(printer.out(), Equals("pause( <unfinished ...>\n"));
  }
}

TEST_CASE("a call interrupted by a signal shows what the kernel said", "[formats][text]") {
  CHECK_THAT(shown_result(event(1, arch::nr_pause, {}, -4), {}),
             Equals("= ? ERESTARTNOHAND (To be restarted if no handler)"));
}

TEST_CASE("-e trace= takes names, classes, patterns and their opposite", "[formats][text]") {
  CHECK(call_set("read").test(arch::nr_read));
  CHECK_FALSE(call_set("read").test(arch::nr_write));
  CHECK(call_set("%file").test(arch::nr_openat));
  CHECK(call_set("!read").test(arch::nr_write));
  CHECK(call_set("/^get.id").test(arch::nr_getpid));
  CHECK(call_set("?nosuchcall,read").test(arch::nr_read));
  CHECK(call_set("all").all());
  CHECK(call_set("none").none());
  CHECK_THROWS(call_set("nosuchcall"));
}

TEST_CASE("a terminal is given no commands", "[text]") {
  CHECK(for_terminal("sh -c \"x \\ y\"") == "sh -c \"x \\ y\"");
  CHECK(for_terminal("a\033[2J\n1\x7f") == "a\\33[2J\\0121\\177");
  CHECK(for_terminal("gr\u00fc\u00df\u009b") == "gr\u00fc\u00df\\302\\233");
  CHECK(for_terminal("\xc2") == "\xc2");
}
