#include "formats/read/metadata.h"

#include <cstring>

#include "arch/set_names.h"
#include "formats/read/decode.h"
#include "formats/read/trace.h"
#include "formats/text.h"
#include "tests/support/catch.h"

using namespace sctrace;
using Catch::Matchers::Equals;

namespace {

std::shared_ptr<const read::Table> from(const std::string& lines) {
  return read::table_from("sctrace-metadata 1\n" + lines + "end\n", "it", read::built_in());
}

std::string refused(const std::string& text) {
  try {
    read::table_from(text, "it", nullptr);
  } catch (const read::BadTrace& bad) {
    return bad.what();
  }
  return "accepted";
}

std::string line(const std::string& metadata, uint32_t nr, std::initializer_list<uint64_t> args,
                 const std::string& memory = "") {
  read::Call c;
  c.pid = c.tid = 1, c.nr = nr, c.ended = true;
  for (uint64_t a : args) c.args[c.argc++] = a;
  read::Piece piece;
  piece.address = 0x1000, piece.wanted = memory.size();
  piece.bytes.assign(memory.begin(), memory.end());
  if (!memory.empty()) c.memory.push_back(piece);
  read::use(from(metadata));
  TextOptions options;
  options.verbose = true;
  TextPrinter printer(options);
  printer.leave(read::decode(c));
  read::use(nullptr);
  std::string text = printer.out();
  text.resize(text.find(" = "));
  text.resize(text.find_last_not_of(' ') + 1);
  return text;
}

bool same(const char* a, const char* b) { return std::strcmp(a ? a : "", b ? b : "") == 0; }

bool same(const arch::Arg& a, const arch::Arg& b) {
  return same(a.name, b.name) && a.kind == b.kind && a.way == b.way && a.measure == b.measure &&
         a.which == b.which && a.set == b.set && a.layout == b.layout && a.given_by == b.given_by &&
         a.wide == b.wide && a.head == b.head && a.element == b.element && a.given == b.given &&
         same(a.measured_by, b.measured_by);
}

bool same(const arch::Row& a, const arch::Row& b) {
  if (!same(a.name, b.name) || !a.name) return !a.name && !b.name;
  bool all =
      a.result == b.result && a.arity == b.arity && a.whole == b.whole && a.classes == b.classes;
  for (uint8_t i = 0; a.whole && i < a.arity; ++i) all = all && same(a.args[i], b.args[i]);
  return all;
}

}  // namespace

TEST_CASE("the text that describes the table says all that the table says", "[formats][metadata]") {
  const read::Table& t = *read::built_in();
  SECTION("calls") {
    size_t other = 0, not_coded = 0;
    for (uint32_t nr = 0; nr < arch::number_limit; ++nr) {
      other += !same(t.rows[nr], arch::table.rows[nr]);
      not_coded += t.rows[nr].name && !t.coded[nr];
    }
    CHECK(other == 0);
    CHECK(not_coded == 0);
  }
  SECTION("commands") {
    size_t other = 0;
    for (const arch::Command& c : arch::fold::commands) {
      const auto range = t.commands_of[c.nr];
      const arch::Command* found = nullptr;
      for (uint32_t i = range.first; i < range.end && !found; ++i)
        if (t.commands[i].value == c.value) found = &t.commands[i];
      bool all = found && found->count == c.count;
      for (uint8_t i = 0; all && i < c.count; ++i) all = same(found->args[i], c.args[i]);
      other += !all;
    }
    CHECK(other == 0);
  }
  SECTION("words") {
    REQUIRE(t.words.size() == arch::fold::word_count - 1);  // all but the head of no set
    size_t other = 0;
    for (size_t i = 0; i < t.words.size(); ++i) {
      const arch::fold::Word &a = t.words[i], &b = arch::fold::vocabulary[i + 1];
      other += a.role != b.role || a.set != b.set || a.value != b.value || a.shift != b.shift ||
               !same(a.text, b.text);
    }
    CHECK(other == 0);
  }
  SECTION("structs, each under the number that our code knows") {
    REQUIRE(t.members.size() == std::size(arch::fold::members));
    REQUIRE(t.layouts.size() == arch::layout_count);
    size_t found = 0;
    for (const arch::Member& b : arch::fold::members)
      for (const arch::Member& a : t.members)
        found += a.of == b.of && same(a.name, b.name) && a.offset == b.offset &&
                 a.bytes == b.bytes && a.kind == b.kind && a.set == b.set && a.inner == b.inner &&
                 a.count == b.count && a.show == b.show && a.role == b.role &&
                 a.length_at == b.length_at && a.length_bytes == b.length_bytes;
    CHECK(found >= t.members.size());
    size_t other = 0;
    for (size_t i = 1; i < arch::layout_count; ++i)
      other += t.layout_bytes[i] != arch::layout_bytes[i];
    CHECK(other == 0);
  }
  SECTION("requests") {
    REQUIRE(t.requests.size() == arch::all_requests.size());
    size_t other = 0;
    for (size_t i = 0; i < t.requests.size(); ++i) {
      const arch::Request &a = t.requests[i], &b = arch::all_requests[i];
      other += a.number != b.number || a.kind != b.kind || a.way != b.way || a.turn != b.turn ||
               a.set != b.set || a.before != b.before || a.after != b.after;
    }
    CHECK(other == 0);
    CHECK(read::ioctl_names(0x5401) == "TCGETS");
    CHECK(read::ioctl_names(0x3b70).starts_with("VFIO_DEVICE_GET_PCI_HOT_RESET_INFO or VFIO_"));
  }
}

TEST_CASE("a trace of another version prints by its own table", "[formats][metadata]") {
  SECTION("a call that is new") {
    CHECK_THAT(line("set colours ?C\nword 2 RED\ncall 475 paint number -\narg what string way=in "
                    "measure=nul\narg colour choice set=colours\n",
                    475, {0x1000, 2}, std::string("wall\0", 5)),
               Equals(R"(paint("wall", RED))"));
  }
  SECTION("other arguments than ours, which our code does not touch") {
    CHECK_THAT(line("call 54 setsockopt number -\narg one number\n", 54, {7}),
               Equals("setsockopt(7)"));
  }
  SECTION("another struct of a known name") {
    CHECK_THAT(line("struct timespec 8\nfield s 0 4 number - - 0 always 0 0\nfield n 4 4 number - "
                    "- 0 always 0 0\ncall 35 nanosleep number -\narg duration structure way=in "
                    "struct=timespec element=8\n",
                    35, {0x1000}, std::string("\1\0\0\0\2\0\0\0", 8)),
               Equals("nanosleep({s=1, n=2})"));
  }
  SECTION("kinds, keys and lines of later versions") {
    CHECK_THAT(line("# a remark\nmagic a b c\ncall 470 later spell -\narg x rune shape=round\n",
                    470, {16}),
               Equals("later(0x10)"));
  }
  SECTION("words of another set") {
    CHECK_THAT(line("set seek_whence ?\nword 9 SEEK_NINE\ncall 8 lseek offset -\narg fd fd\narg "
                    "offset offset\narg whence choice set=seek_whence\n",
                    8, {3, 5, 9}),
               Equals("lseek(3, 5, SEEK_NINE)"));
  }
  SECTION("a call that it does not know") {
    CHECK_THAT(line("", 0, {3}), test::contains("syscall_0x0("));
  }
}

TEST_CASE("metadata that makes no sense is refused in one sentence", "[formats][metadata]") {
  const std::string head = "sctrace-metadata 1\n";
  const auto [why, text] = GENERATE_COPY(table<const char*, std::string>({
      {"not the metadata", "hello\n"},
      {"its name", "\n"},
      {"not the metadata", ""},
      {"version 2, this sctrace reads 1", "sctrace-metadata 2\nend\n"},
      {"truncated", head + "set a\n"},
      {"truncated", head + "set a"},
      {"not text", head + std::string("set a\0\nend\n", 11)},
      {"outside a set", head + "word 1 a\nend\n"},
      {"outside a struct", head + "field a 0 4 number - - 0 always 0 0\nend\n"},
      {"outside a call", head + "arg a number\nend\n"},
      {"stands there already", head + "set a\nset a\nend\n"},
      {"stands there already", head + "call 1 a number -\ncall 1 a number -\nend\n"},
      {"a number makes no sense", head + "call 512 a number -\nend\n"},
      {"a value makes no sense", head + "set a\nword 1ffffffffffffffff a\nend\n"},
      {"a shift makes no sense", head + "set a\nshifted 1 64 a\nend\n"},
      {"no set of this name", head + "call 1 a number -\narg b flags set=nothing\nend\n"},
      {"no struct of this name", head + "call 1 a number -\narg b structure struct=q\nend\n"},
      {"no such argument",
       head + "call 1 a number -\narg b buffer way=in measure=argument by=c\nend\n"},
      {"measured by nobody",
       head + "call 1 a number -\narg b buffer way=in measure=argument\nend\n"},
      {"a struct of no bytes", head + "struct a 0\nend\n"},
      {"not within its struct", head + "struct a 4\nfield b 1 4 number - - 0 always 0 0\nend\n"},
      {"not within its struct", head + "struct a 40\nvector b 0 4 number - - 11 always 0 0\nend\n"},
      {"its length is elsewhere", head + "struct a 4\nvector b 0 4 number - - 1 always 4 4\nend\n"},
      {"holds more",
       head + "struct a 8\nstruct c 4\nfield b 0 4 structure - a 0 always 0 0\nend\n"},
      {"too short for what it is", head + "struct a 8\nfield b 0 8 inet6 - - 0 always 0 0\nend\n"},
      {"without end", head + "struct a 8\npointed b 0 8 address - a 0 always 0 0\nend\n"},
      {"orrupt",
       "\x28\xb5\x2f\xfd oh no, this is none of theirs"},  // libzstd's words, which differ
  }));
  DYNAMIC_SECTION(why << ": " << text) { CHECK_THAT(refused(text), test::contains(why)); }
}

TEST_CASE("a table that asks for more than fits is obeyed as far as it fits",
          "[formats][metadata]") {
  std::string greedy = "struct greedy 60000\n";
  for (int i = 0; i < 50; ++i) greedy += "vector x 0 1 number - - 60000 always 0 0\n";
  greedy += "call 400 take number -\narg all structure way=in struct=greedy element=60000\n";
  const std::string shown = line(greedy, 400, {0x1000}, std::string(60000, '\1'));
  CHECK(shown.size() < 2'000'000);
}
