// Folds the .def files into constexpr arrays. lookup() never fails: a number without a row is six
// hexadecimal arguments. A misspelt name, set, struct or measure in a .def file does not compile.
#pragma once
#include "arch/vocabulary.h"
#include "arch/words.h"

namespace sctrace::arch {

enum Number : uint16_t {
#define NUMBER(nr, name) nr_##name = nr,
#include "arch/x86_64/numbers.def"
#undef NUMBER
};

inline constexpr uint32_t number_limit = 512;  // every known number is below

namespace fold {
constexpr bool same(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}
void no_such_argument();  // not constexpr: reaching it in a table is a compile error

void no_such_word();  // not constexpr, as above
constexpr uint64_t value_of(Set set, const char* text) {
  for (size_t i = first.at[static_cast<size_t>(set)] + 1u;
       i < word_count && vocabulary[i].role != Role::set; ++i)
    if (vocabulary[i].role == Role::word && same(vocabulary[i].text, text))
      return vocabulary[i].value;
  no_such_word();
  return 0;
}

constexpr uint8_t index_of(const Row& row, const char* name) {
  for (uint8_t i = 0; i < row.arity; ++i)
    if (same(row.args[i].name, name)) return i;
  no_such_argument();
  return 0;
}

// Turns the names that an argument is measured and given by into indices.
constexpr void resolve(const Row& r, Arg& a) {
  if (a.given_name) a.given_by = index_of(r, a.given_name);
  if (!a.measured_by) return;
  if (same(a.measured_by, "return"))
    a.measure = Measure::result;
  else if (*a.measured_by == '*')
    a.measure = Measure::pointed, a.which = index_of(r, a.measured_by + 1);
  else {
    a.which = index_of(r, a.measured_by);
    if (a.measure == Measure::none) a.measure = Measure::argument;
  }
}

constexpr Row row(const char* name, Result result, uint32_t classes,
                  std::initializer_list<Arg> args) {
  Row r{.name = name,
        .result = result,
        .arity = static_cast<uint8_t>(args.size()),
        .whole = true,
        .classes = classes};
  size_t n = 0;
  for (const Arg& a : args) r.args[n++] = a;
  for (uint8_t i = 0; i < r.arity; ++i) resolve(r, r.args[i]);
  return r;
}

struct Table {
  Row rows[number_limit] = {};
};

constexpr Table table() {
  using namespace words;
  Table t;
#define NUMBER(nr, n) t.rows[nr].name = #n;
#include "arch/x86_64/numbers.def"
#undef NUMBER
#define SYSCALL(n, result, classes, ...) \
  t.rows[nr_##n] = row(#n, Result::result, classes, {__VA_ARGS__});
#include "arch/syscalls.def"
#undef SYSCALL
  return t;
}
}  // namespace fold

inline constexpr fold::Table table = fold::table();
inline constexpr Row unknown{};

constexpr const Row& lookup(uint32_t nr) {
  return nr < number_limit && table.rows[nr].name ? table.rows[nr] : unknown;
}

namespace fold {
constexpr int command_index(const Row& row) {
  for (uint8_t i = 0; i < row.arity; ++i)
    if (row.args[i].kind == Kind::command) return i;
  no_such_argument();
  return 0;
}
constexpr Command command_row(uint16_t nr, const char* word, std::initializer_list<Arg> args) {
  const Row& row = arch::table.rows[nr];
  Command c{.nr = nr,
            .count = static_cast<uint8_t>(args.size()),
            .value = value_of(row.args[command_index(row)].set, word)};
  size_t n = 0;
  for (Arg a : args) {
    resolve(row, a);
    c.args[n++] = a;
  }
  return c;
}
using namespace words;
inline constexpr Command commands[] = {
#define COMMAND(name, word, ...) command_row(nr_##name, #word, {__VA_ARGS__}),
#include "arch/commands.def"
#undef COMMAND
};
struct CommandRange {
  uint16_t first = 0, end = 0;
};
struct CommandRanges {
  CommandRange of[number_limit] = {};
};
void commands_of_a_call_must_stand_together();  // not constexpr
constexpr CommandRanges command_ranges() {
  CommandRanges r;
  uint16_t i = 0;
  for (const Command& c : commands) {
    CommandRange& range = r.of[c.nr];
    if (range.first == range.end)
      range.first = i;
    else if (range.end != i)
      commands_of_a_call_must_stand_together();
    range.end = ++i;
  }
  return r;
}
inline constexpr CommandRanges ranges = command_ranges();
}  // namespace fold

// What of a command selects its row.
constexpr uint64_t command_key(uint32_t nr, uint64_t command) {
  if (nr == nr_quotactl || nr == nr_quotactl_fd) return command >> 8;  // QCMD: below is whose quota
  return nr == nr_futex ? command & 127 : command;  // above it: private, and which clock
}

// The row of a command, or nothing: then every variant is a bare address.
constexpr const Command* command_of(uint32_t nr, uint64_t command) {
  if (nr >= number_limit) return nullptr;
  command = command_key(nr, command);
  const fold::CommandRange range = fold::ranges.of[nr];
  for (uint16_t i = range.first; i < range.end; ++i)
    if (fold::commands[i].value == command) return &fold::commands[i];
  return nullptr;
}

// The `index`-th variant argument of the call under this command; nothing if it is not passed.
constexpr const Arg* variant_of(uint32_t nr, uint64_t command, uint8_t index = 0) {
  const Command* c = command_of(nr, command);
  return c && index < c->count ? &c->args[index] : nullptr;
}

// Pointers inside structs.
inline constexpr Link links[] = {
#define LINK(from, pointer_at, to, length_at, length_bytes) \
  {Layout::from, Layout::to, pointer_at, length_at, length_bytes},
#define LINK_OF(word, from, pointer_at, to, length_at, length_bytes) \
  {Layout::from, Layout::to, pointer_at, length_at, length_bytes, false, word},
#define LINK_WHERE(at, word, from, pointer_at, to, length_at, length_bytes) \
  {Layout::from, Layout::to, pointer_at, length_at, length_bytes, false, word, at},
#define FILLED(from, least, pointer_at, to, length_at, length_bytes) \
  {Layout::from, Layout::to, pointer_at, length_at, length_bytes, false, 0, 0, least, true},
#define FOLLOWING(from, at, to, length_at, length_bytes) \
  {Layout::from, Layout::to, at, length_at, length_bytes, true},
#define DATA(from, pointer_at, length_at, length_bytes, returned)                    \
  {Layout::from, Layout::bytes, pointer_at, length_at, length_bytes, false, 0, 0, 0, \
   returned,     true},
#define ARGUMENT(from, index, length_at, length_bytes) \
  {Layout::from, Layout::bytes, 0, length_at, length_bytes, false, 0, 0, 0, false, true, index},
#include "arch/links.def"
#undef LINK
#undef ARGUMENT
#undef DATA
#undef LINK_OF
#undef LINK_WHERE
#undef FILLED
#undef FOLLOWING
#define FIELD(...)
#define VECTOR(...)
#define POINTED(of, name, offset, to, at, bytes, show) {Layout::of, Layout::to, offset, at, bytes},
#define TAIL(of, name, offset, to, at, bytes, show) \
  {Layout::of, Layout::to, offset, at, bytes, true},
#include "arch/request_members.def"
#undef FIELD
#undef VECTOR
#undef POINTED
#undef TAIL
};

}  // namespace sctrace::arch
