#include "arch/table.h"
#include "formats/ftrace.h"
#include "formats/json_lines.h"
#include "formats/read/decode.h"
#include "tests/support/catch.h"

using namespace sctrace;
using Catch::Matchers::Equals;

namespace {

Event dup2(bool ended = true) {
  read::Call call;
  call.pid = call.tid = 7;
  call.nr = arch::nr_dup2;
  call.args[0] = 10, call.args[1] = 1;
  call.argc = 2;
  call.result = 1;
  call.ended = ended;
  call.began = 960'782'172'400, call.finished = 960'782'173'000;
  return read::decode(call);
}

std::string lines_of(std::string all) {  // without the header
  while (all.starts_with('#')) all.erase(0, all.find('\n') + 1);
  return all;
}

}  // namespace

TEST_CASE("a call in ftrace's words is two lines", "[formats][ftrace]") {
  FtraceLines plain(false), typed(true);
  plain.program({7, 7, 0}, "/usr/bin/bash");
  plain.enter(dup2(false));
  plain.leave(dup2());
  CHECK_THAT(
      lines_of(plain.out()),
      Equals("            bash-7       [000] .....   960.782172: sys_dup2(oldfd: a, newfd: 1)\n"
             "            bash-7       [000] .....   960.782173: sys_dup2 -> 0x1\n"));
  typed.leave(dup2());
  CHECK_THAT(
      lines_of(typed.out()),
      Equals("           <...>-7       [000] .....   960.782172: sys_dup2(unsigned int oldfd: a, "
             "unsigned int newfd: 1)\n"
             "           <...>-7       [000] .....   960.782173: sys_dup2 -> 0x1\n"));
}

TEST_CASE("a call in JSON is one line, however it ended", "[formats][json]") {
  JsonLines json;
  const std::string head =
      R"({"type":"call","pid":7,"tid":7,"time_ns":960782172400,"monotonic_ns":960782172400,)";
  const std::string what =
      R"("number":33,"name":"dup2","registers":["0xa","0x1"],"args":[)"
      R"({"name":"oldfd","kind":"fd","value":10},{"name":"newfd","kind":"fd","value":1}],)";
  SECTION("it came back") {
    json.enter(dup2(false));
    json.leave(dup2());
    CHECK_THAT(json.out(),
               Equals(head + R"("duration_ns":600,)" + what +
                      R"("state":"returned","result":1,"value":{"kind":"fd","value":1}})"
                      "\n"));
  }
  SECTION("it did not") {
    json.enter(dup2(false));
    json.gone({7, 7, 960'782'172'400}, {Departure::How::killed, 9, false});
    CHECK_THAT(
        json.out(),
        Equals(head + what + "\"state\":\"unfinished\"}\n" +
               R"({"type":"killed","pid":7,"tid":7,"time_ns":960782172400,)"
               R"("monotonic_ns":960782172400,"number":9,"name":"SIGKILL","core_dumped":false})"
               "\n"));
  }
}

TEST_CASE("bytes that are no UTF-8 become characters of the same number", "[formats][json]") {
  std::string text;
  auto [name, bytes, expected, changed] =
      GENERATE(table<const char*, std::string, std::string, bool>(
          {{"ASCII", "a\n\"\\\x7f", R"("a\u000a\"\\\u007f")", false},
           {"UTF-8", "\xc3\xa4\xf0\x9f\x98\x80", "\"\xc3\xa4\xf0\x9f\x98\x80\"", false},
           {"Latin 1", "\xe4", R"("\u00e4")", true},
           {"an overlong form", "\xc0\xaf", R"("\u00c0\u00af")", true},
           {"a surrogate", "\xed\xa0\x80", R"("\u00ed\u00a0\u0080")", true},
           {"cut short", "a\xe2\x82", R"("a\u00e2\u0082")", true},
           {"a nul", std::string("\0x", 2), R"("\u0000x")", false}}));
  DYNAMIC_SECTION(name) {
    CHECK(put_json_string(text, bytes) == changed);
    CHECK_THAT(text, Equals(expected));
  }
}
