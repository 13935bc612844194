#include "formats/filter.h"
#include "tests/support/catch.h"

#include <cerrno>
#include <stdexcept>

#include "arch/arguments.h"
#include "arch/table.h"
#include "formats/wire/expression_parse.h"

using namespace sctrace;
using wire::Truth;

namespace {

read::Call call(uint32_t nr, std::initializer_list<uint64_t> args, int64_t result, uint64_t ns) {
  read::Call c;
  c.pid = 40, c.tid = 42;
  c.nr = nr;
  for (const uint64_t a : args) c.args[c.argc++] = a;
  c.ended = true;
  c.result = result;
  c.began = 1000, c.finished = 1000 + ns;
  return c;
}

bool is(const char* text, const read::Call& c, const std::vector<std::string>& paths = {}) {
  return passes(filter_of(text), c, paths);
}

std::string wrong(const std::string& text) {
  try {
    filter_of(text);
    return "nothing";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

Truth at_entry(const char* text, uint32_t nr, std::initializer_list<uint64_t> args) {
  const read::Call c = call(nr, args, 0, 0);
  const arch::Row& row = arch::lookup(nr);
  wire::Known known;
  known.argc = c.argc, known.fds = arch::descriptor_arguments(row);
  known.nr = nr, known.pid = 40, known.tid = 42, known.args = c.args;
  return wire::evaluate(filter_of(text), known);
}

}  // namespace

TEST_CASE("a filter says of a call what its words say", "[formats][filter]") {
  const read::Call slow = call(arch::nr_read, {3, 0x1000, 64}, 10, 2'000'000);
  const read::Call failed = call(arch::nr_openat, {0xffffff9c, 0x2000, 0}, -ENOENT, 3000);
  const auto [text, of_slow, of_failed] = GENERATE(table<const char*, bool, bool>({
      {"dur>1ms", true, false},
      {"dur >= 2000us && dur <= 0.002s", true, false},
      {"dur > 1ms || errno == ENOENT", true, true},
      {"!(dur > 1ms)", false, true},
      {"errno==0", true, false},
      {"errno != 0", false, true},
      {"ret == -1", false, true},
      {"ret>=10 && ret<11", true, false},
      {"fd==3", true, false},
      {"fd<0", false, true},
      {"fd != 3", false, true},
      {"name==read", true, false},
      {"name != read", false, true},
      {"name == \"read,%file\"", true, true},
      {"name==%desc && !name==openat", true, false},
      {"arg2==64", true, false},
      {"arg2 & 0x40", true, false},
      {"arg0==-100", false, true},
      {"arg2 > 63 && arg2 < 1K", true, false},
      {"arg5==0", false, false},
      {"!arg5==0", true, true},
      {"tid==42 && pid==40", true, true},
      {"tid==40", false, false},
      {"nr==0", true, false},
      {"errno==ENOENT || errno==EWOULDBLOCK && dur>1s", false, true},
      {"(errno==ENOENT || dur>1ms) && fd==3", true, false},
  }));
  DYNAMIC_SECTION(text) {
    CHECK(is(text, slow) == of_slow);
    CHECK(is(text, failed) == of_failed);
  }
}

TEST_CASE("paths are compared whole or by a pattern", "[formats][filter]") {
  const read::Call open = call(arch::nr_openat, {0xffffff9c, 0x2000, 0}, 3, 10);
  const read::Call pid = call(arch::nr_getpid, {}, 3, 10);
  const std::vector<std::string> paths{"/etc/passwd"};
  CHECK(is("path==/etc/passwd", open, paths));
  CHECK_FALSE(is("path==/etc", open, paths));
  CHECK(is("path ~ \"/etc/*\"", open, paths));
  CHECK(is("path~*p?sswd", open, paths));
  CHECK_FALSE(is("path!~/etc/*", open, paths));
  CHECK(is("path!=/etc/group", open, paths));
  CHECK_FALSE(is("path != /etc/group", pid, {}));
}

TEST_CASE("a call that did not end has neither result nor duration", "[formats][filter]") {
  read::Call open = call(arch::nr_read, {3, 0, 1}, 0, 0);
  open.ended = false;
  CHECK_FALSE(is("dur<1s", open));
  CHECK_FALSE(is("errno==0", open));
  CHECK(is("fd==3", open));
}

TEST_CASE("what can be decided at entry is", "[formats][filter]") {
  CHECK(at_entry("name==read", arch::nr_read, {3, 0, 1}) == Truth::yes);
  CHECK(at_entry("dur>1ms", arch::nr_read, {3, 0, 1}) == Truth::unknown);
  CHECK(at_entry("dur>1ms && fd==4", arch::nr_read, {3, 0, 1}) == Truth::no);
  CHECK(at_entry("dur>1ms || fd==3", arch::nr_read, {3, 0, 1}) == Truth::yes);
  CHECK(at_entry("!(dur>1ms && fd==3)", arch::nr_read, {3, 0, 1}) == Truth::unknown);
  CHECK(at_entry("!(dur>1ms && fd==4)", arch::nr_read, {3, 0, 1}) == Truth::yes);
}

TEST_CASE("the number alone decides where nothing else is asked", "[formats][filter]") {
  const wire::Known read{.number_only = true, .nr = arch::nr_read};
  CHECK(wire::evaluate(filter_of("name==read && nr<10"), read) == Truth::yes);
  CHECK(wire::evaluate(filter_of("name==write && fd==1"), read) == Truth::no);
  CHECK(wire::evaluate(filter_of("name==read && fd==1"), read) == Truth::unknown);
}

TEST_CASE("an error points at its column", "[formats][filter]") {
  const auto [text, says] = GENERATE(table<const char*, const char*>({
      {"dur >> 1ms", "column 6: expected a number"},
      {"dur > 1m", "column 7: no such unit"},
      {"dur > 1", "nothing"},
      {"durr > 1ms", "column 1: expected name, nr, fd"},
      {"dur > 1ms &", "column 11: expected && or || or the end"},
      {"dur > 1ms &&", "column 13: expected name"},
      {"(fd==1", "column 7: expected )"},
      {"fd==1)", "column 6: expected && or || or the end"},
      {"errno==EWHAT", "column 8: no such error"},
      {"name==nosuchcall", "column 7: no such call"},
      {"name<read", "column 5: expected == or != here"},
      {"fd~1", "column 3: ~ is for paths"},
      {"path==\"/etc", "column 7: a quote is not closed"},
      {"fd==", "column 5: expected a number"},
      {"fd==3x", "column 5: no such unit"},
      {"fd==99999999999999999999", "column 5: expected a number"},
      {"arg6==1", "column 1: expected name"},
      {"", "column 1: expected name"},
  }));
  DYNAMIC_SECTION(text) { CHECK_THAT(wrong(text), test::contains(says)); }
}

TEST_CASE("a filter that is too long or too deep is refused, not cut", "[formats][filter]") {
  std::string many = "fd==1", deep(100, '(');
  for (int n = 0; n < 40; ++n) many += " || fd==1";
  CHECK_THAT(wrong(many), test::contains("too long"));
  CHECK_THAT(wrong(deep + "fd==1"), test::contains("nested too deeply"));
}

TEST_CASE("a least duration joins what is asked for besides", "[formats][filter]") {
  wire::Expression filter = filter_of("fd==3");
  REQUIRE(wire::require_duration(filter, 1'000'000));
  CHECK(passes(filter, call(arch::nr_read, {3, 0, 1}, 0, 1'000'000), {}));
  CHECK_FALSE(passes(filter, call(arch::nr_read, {3, 0, 1}, 0, 999'999), {}));
  CHECK_FALSE(passes(filter, call(arch::nr_read, {4, 0, 1}, 0, 1'000'000), {}));
}
