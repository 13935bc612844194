// A program of the build: writes the table as text, compressed (describe FILE) or as it is
// (describe). Every trace carries it as its file `metadata`; sctrace-trace(5) has the grammar.
#include <zstd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "arch/set_names.h"
#include "arch/spelling.h"
#include "arch/table.h"

using namespace sctrace::arch;

namespace {

const char* name_of(Set set) { return set_names[static_cast<size_t>(set)]; }
const char* name_of(Layout layout) { return layout_names[static_cast<size_t>(layout)]; }
const char* or_dash(const char* text) { return text && *text ? text : "-"; }

std::string text;

[[gnu::format(printf, 1, 2)]] void say(const char* format, ...) {
  char line[512];
  va_list values;
  va_start(values, format);
  const int n = std::vsnprintf(line, sizeof line, format, values);
  va_end(values);
  if (n < 0 || n >= static_cast<int>(sizeof line)) std::abort();
  text.append(line, static_cast<size_t>(n));
}
unsigned long long wide(uint64_t value) { return value; }

void say_sets() {
  for (size_t i = 1; i < fold::word_count; ++i) {
    const fold::Word& w = fold::vocabulary[i];
    switch (w.role) {
      case fold::Role::set: say("set %s %s\n", name_of(w.set), w.text); break;
      case fold::Role::word: say("word %llx %s\n", wide(w.value), w.text); break;
      case fold::Role::part: say("part %llx %s\n", wide(w.value), name_of(w.set)); break;
      case fold::Role::shifted: say("shifted %llx %d %s\n", wide(w.value), w.shift, w.text); break;
      case fold::Role::octal: say("octal %llx\n", wide(w.value)); break;
      case fold::Role::decimal: say("decimal %llx\n", wide(w.value)); break;
      case fold::Role::signal: say("signal %llx\n", wide(w.value)); break;
    }
  }
}

void say_structs() {
  for (size_t layout = 1; layout < sizeof layout_names / sizeof *layout_names; ++layout) {
    say("struct %s %u\n", layout_names[layout], layout_bytes[layout]);
    for (const Member& m : fold::members)
      if (m.of == static_cast<Layout>(layout))
        say("%s %s %u %u %s %s %s %u %s %u %u\n", spelling(m.role), or_dash(m.name), m.offset,
            m.bytes, spelling(m.kind), name_of(m.set), name_of(m.inner), m.count, spelling(m.show),
            m.length_at, m.length_bytes);
  }
}

void say_argument(const Row& row, const Arg& a) {
  say("arg %s %s", a.name, spelling(a.kind));
  if (a.way != Way::none) say(" way=%s", spelling(a.way));
  if (a.set != Set::none) say(" set=%s", name_of(a.set));
  if (a.layout != Layout::none) say(" struct=%s", name_of(a.layout));
  if (a.measure != Measure::none) say(" measure=%s", spelling(a.measure));
  if (a.measured_by) say(" by=%s", a.measured_by);
  if (a.element != 1) say(" element=%u", a.element);
  if (a.head) say(" head=%u", a.head);
  if (a.given) say(" given=%s:%x", row.args[a.given_by].name, a.given);
  if (a.wide) say(" wide=1");
  say("\n");
}

void say_calls() {
  for (uint32_t nr = 0; nr < number_limit; ++nr) {
    const Row& row = table.rows[nr];
    if (!row.name) continue;
    std::string classes;
    for (size_t bit = 0; bit < sizeof class_words / sizeof *class_words; ++bit)
      if (row.classes >> bit & 1)
        classes += (classes.empty() ? "" : ",") + std::string(class_words[bit]);
    say("call %u %s %s %s\n", nr, row.name, row.whole ? or_dash(spelling(row.result)) : "unknown",
        or_dash(classes.c_str()));
    if (!row.whole) continue;
    for (uint8_t i = 0; i < row.arity; ++i) say_argument(row, row.args[i]);
    for (const Command& c : fold::commands) {
      if (c.nr != nr) continue;
      say("command %llx\n", wide(c.value));
      for (uint8_t i = 0; i < c.count; ++i) say_argument(row, c.args[i]);
    }
  }
}

void say_requests() {
  for (const Request& r : all_requests)
    say("request %x %s %s %s %s %s %s\n", r.number, spelling(r.kind), spelling(r.way),
        spelling(r.turn), name_of(r.set), name_of(r.before), name_of(r.after));
#define IOCTL(number, name) say("ioctl %x %s\n", static_cast<unsigned>(number), #name);
#include "arch/ioctls.def"
#undef IOCTL
}

}  // namespace

int main(int argc, char** argv) {
  say("sctrace-metadata 1\nmachine x86_64\n");
  say_sets();
  say_structs();
  say_calls();
  say_requests();
  say("end\n");
  std::vector<char> packed(ZSTD_compressBound(text.size()));
  const size_t n = ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 19);
  FILE* to = argc > 1 ? std::fopen(argv[1], "wb") : stdout;
  if (!to || ZSTD_isError(n)) return std::perror("describe"), 1;
  const size_t bytes = argc > 1 ? n : text.size();
  const bool whole = std::fwrite(argc > 1 ? packed.data() : text.data(), 1, bytes, to) == bytes;
  return std::fclose(to) == 0 && whole ? 0 : (std::perror("describe"), 1);
}
