#include "formats/read/metadata_parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "arch/set_names.h"
#include "arch/spelling.h"

namespace sctrace::read {

using arch::Kind;
using arch::Member;
using arch::Way;
using arch::fold::Role;

void MetadataParser::refuse(const std::string& why) const {
  throw BadTrace(file_, static_cast<uint64_t>(line_ - t_.text.data()), why);
}

const char* MetadataParser::token(const char* what) {
  while (at_ < end_ && *at_ == ' ') ++at_;
  if (at_ == end_) refuse(fmt::format("a line ends where {} should be", what));
  char* first = at_;
  while (at_ < end_ && *at_ != ' ') ++at_;
  if (at_ < end_) *at_++ = '\0';
  return first;
}

const char* MetadataParser::rest() {
  while (at_ < end_ && *at_ == ' ') ++at_;
  const char* text = at_;
  at_ = end_;
  return text;
}

const char* MetadataParser::or_empty(const char* what) {
  char* text = const_cast<char*>(token(what));
  if (std::strcmp(text, "-") == 0) *text = '\0';
  return text;
}

uint64_t MetadataParser::number_in(std::string_view text, const char* what, uint64_t most,
                                   int base) {
  uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n, base);
  if (error != std::errc{} || end != text.data() + text.size() || n > most)
    refuse(fmt::format("{} makes no sense", what));
  return n;
}

uint64_t MetadataParser::number(const char* what, uint64_t most, int base) {
  return number_in(token(what), what, most, base);
}

// A word that is not known is of a later version.
template <class E>
static E spelt_as(std::string_view word, E if_unknown) {
  for (int i = 0; const char* text = arch::spelling(static_cast<E>(i)); ++i)
    if (word == text) return static_cast<E>(i);
  return if_unknown;
}

template <class E>
E MetadataParser::spelt(const char* what, E if_unknown) {
  return spelt_as(token(what), if_unknown);
}

uint16_t MetadataParser::id(const Names& names, std::string_view name, const char* what) const {
  if (name == "-") return 0;
  const auto found = names.find(name);
  if (found == names.end()) refuse(fmt::format("no {} of this name", what));
  return found->second;
}

// Ends the line with a nul, without its newline.
bool MetadataParser::next_line() {
  char* last = t_.text.data() + t_.text.size();
  char* from = end_ ? end_ + 1 : t_.text.data();
  if (from >= last) return false;
  line_ = at_ = from;
  end_ = static_cast<char*>(std::memchr(from, '\n', static_cast<size_t>(last - from)));
  if (!end_) refuse("truncated");
  *end_ = '\0';
  return true;
}

void MetadataParser::begin() {
  line_ = t_.text.data();
  if (t_.text.find('\0') != t_.text.npos) refuse("not text");
  if (!next_line() || std::strcmp(token("its name"), "sctrace-metadata") != 0)
    refuse("not the metadata of a trace");
  const uint64_t version = number("its version", 1 << 30);
  if (version != 1) refuse(fmt::format("metadata of version {}, this sctrace reads 1", version));
}

// A set or struct may be named before its own line: all of them are met first.
void MetadataParser::learn_names() {
  uint32_t more_sets = arch::set_count, more_layouts = arch::layout_count;
  static const auto ours = [] {
    std::pair<Names, Names> all;
    for (size_t i = 1; i < arch::set_count; ++i) all.first.emplace(arch::set_names[i], i);
    for (size_t i = 1; i < arch::layout_count; ++i) all.second.emplace(arch::layout_names[i], i);
    return all;
  }();
  const auto meet = [&](const Names& known, Names& names, std::string_view name, uint32_t& more) {
    const auto found = known.find(name);
    const uint32_t is = found == known.end() ? more++ : found->second;
    if (is > 60'000 || name == "-" || !names.emplace(name, static_cast<uint16_t>(is)).second)
      refuse("a name that stands there already, or one too many");
  };
  std::string_view all(t_.text);
  for (size_t from = static_cast<size_t>(end_ - t_.text.data()) + 1; from < all.size();) {
    const size_t end = std::min(all.find('\n', from), all.size());
    const std::string_view one = all.substr(from, end - from);
    line_ = t_.text.data() + from;
    from = end + 1;
    const bool set = one.starts_with("set ");
    if (!set && !one.starts_with("struct ")) continue;
    const size_t at = set ? 4 : 7;
    const std::string_view name = one.substr(at, one.find(' ', at) - at);
    if (set)
      meet(ours.first, sets_, name, more_sets);
    else
      meet(ours.second, layouts_, name, more_layouts);
  }
  t_.sets.resize(more_sets);
  t_.layouts.resize(more_layouts);
  t_.layout_bytes.resize(more_layouts, 0);
}

void MetadataParser::add_set() {
  set_ = static_cast<uint32_t>(set_named(token("a set")));
  const uint32_t first = static_cast<uint32_t>(t_.words.size());
  t_.words.push_back({Role::set, static_cast<arch::Set>(set_), 0, 0, rest()});
  t_.sets[set_] = {first, first + 1};
}

void MetadataParser::add_word(Role role, bool number_only) {
  if (!set_) refuse("a word outside a set");
  arch::fold::Word w{.role = role, .value = number("a value", ~0ull, 16)};
  if (role == Role::shifted) w.shift = static_cast<uint8_t>(number("a shift", 63));
  if (role == Role::part)
    w.set = set_named(token("a set"));
  else if (!number_only)
    w.text = rest();
  t_.words.push_back(w);
  ++t_.sets[set_].end;
}

void MetadataParser::add_struct() {
  layout_ = static_cast<uint32_t>(layout_named(token("a struct")));
  t_.layout_bytes[layout_] = static_cast<uint32_t>(number("a size", 0xffff));
  if (!t_.layout_bytes[layout_]) refuse("a struct of no bytes");
  t_.layouts[layout_].first = t_.layouts[layout_].end = static_cast<uint32_t>(t_.members.size());
}

void MetadataParser::add_member(Member::Role role) {
  if (!layout_) refuse("a field outside a struct");
  Member m{};
  m.role = role;
  m.of = static_cast<arch::Layout>(layout_);
  m.name = or_empty("a name");
  m.offset = static_cast<uint16_t>(number("an offset", 0xffff));
  m.bytes = static_cast<uint16_t>(number("a size", 0xffff));
  m.kind = spelt("a kind", Kind::hexadecimal);
  m.set = set_named(token("a set"));
  m.inner = layout_named(token("a struct"));
  m.count = static_cast<uint16_t>(number("a count", 0xffff));
  m.show = spelt("when it is shown", arch::Show::always);
  m.length_at = static_cast<uint16_t>(number("where a length is", 0xffff));
  m.length_bytes = static_cast<uint8_t>(number("the size of a length", 0xff));
  t_.members.push_back(m);
  ++t_.layouts[layout_].end;
}

void MetadataParser::add_call() {
  nr_ = static_cast<uint32_t>(number("a number", arch::number_limit - 1));
  row_ = &t_.rows[nr_];
  command_ = nullptr;
  if (row_->name) refuse("a call that stands there already");
  row_->name = token("a name");
  const std::string_view result = token("a result");
  row_->result = spelt_as(result, arch::Result::number);
  row_->whole = result != "unknown";
  row_->arity = row_->whole ? 0 : 6;
  for (std::string_view classes = or_empty("classes"); !classes.empty();) {
    const size_t comma = std::min(classes.find(','), classes.size());
    for (size_t bit = 0; bit < std::size(arch::class_words); ++bit)
      if (classes.substr(0, comma) == arch::class_words[bit]) row_->classes |= 1u << bit;
    classes.remove_prefix(std::min(comma + 1, classes.size()));
  }
}

void MetadataParser::add_command() {
  if (!row_) refuse("a command outside a call");
  const uint32_t place = static_cast<uint32_t>(t_.commands.size());
  if (place == 1 << 14) refuse("more commands than anybody has");
  Table::Range& range = t_.commands_of[nr_];
  if (range.first == range.end) range = {place, place};
  arch::Command& c = t_.commands.emplace_back();
  c.nr = static_cast<uint16_t>(nr_);
  c.value = number("a command", ~0ull, 16);
  command_ = &t_.commands.back();
  ++range.end;
}

void MetadataParser::add_argument() {
  if (!row_ || !row_->whole) refuse("an argument outside a call");
  const uint8_t n = command_ ? command_->count : row_->arity;
  if (n == (command_ ? 5 : 6)) refuse("too many arguments");
  arch::Arg a{.name = token("a name")};
  a.kind = spelt("a kind", Kind::hexadecimal);
  while (at_ < end_) {
    if (*at_ == ' ') {
      ++at_;
      continue;
    }
    char* text = const_cast<char*>(token("a property"));
    if (char* equals = std::strchr(text, '=')) {
      *equals = '\0';
      set_property(a, text, equals + 1);
    }
  }
  (command_ ? command_->args[command_->count++] : row_->args[row_->arity++]) = a;
}

void MetadataParser::set_property(arch::Arg& a, std::string_view key, char* value) {
  if (key == "way") a.way = spelt_as(value, Way::none);
  if (key == "set") a.set = set_named(value);
  if (key == "struct") a.layout = layout_named(value);
  if (key == "measure") a.measure = spelt_as(value, arch::Measure::none);
  if (key == "by") a.measured_by = value;
  if (key == "element") a.element = static_cast<uint32_t>(number_in(value, "a size", 1 << 20, 10));
  if (key == "head") a.head = static_cast<uint8_t>(number_in(value, "a size", 255, 10));
  if (key == "wide") a.wide = true;
  if (key != "given") return;
  char* colon = std::strchr(value, ':');
  if (!colon) refuse("bits without an argument");
  *colon = '\0';
  a.given_name = value;
  a.given = static_cast<uint32_t>(number_in(colon + 1, "bits", 0xffffffff, 16));
}

void MetadataParser::add_request() {
  arch::Request r{.number = static_cast<uint32_t>(number("a number", 0xffffffff, 16))};
  r.kind = spelt("a kind", Kind::hexadecimal);
  r.way = spelt("a direction", Way::none);
  r.turn = spelt("a turn", arch::Turn::none);
  r.set = set_named(token("a set"));
  r.before = layout_named(token("a struct"));
  r.after = layout_named(token("a struct"));
  t_.requests.push_back(r);
}

void MetadataParser::add_ioctl() {
  const uint32_t n = static_cast<uint32_t>(number("a number", 0xffffffff, 16));
  t_.ioctls.push_back({n, token("a name")});
}

bool MetadataParser::word_line(std::string_view word) {
  if (word == "set") return add_set(), true;
  if (word == "word") return add_word(Role::word, false), true;
  if (word == "part") return add_word(Role::part, false), true;
  if (word == "shifted") return add_word(Role::shifted, false), true;
  if (word == "octal") return add_word(Role::octal, true), true;
  if (word == "decimal") return add_word(Role::decimal, true), true;
  if (word == "signal") return add_word(Role::signal, true), true;
  return false;
}

bool MetadataParser::member_line(std::string_view word) {
  if (word == "struct") return add_struct(), true;
  if (word == "field") return add_member(Member::Role::field), true;
  if (word == "vector") return add_member(Member::Role::vector), true;
  if (word == "pointed") return add_member(Member::Role::pointed), true;
  if (word == "tail") return add_member(Member::Role::tail), true;
  return false;
}

// Lines that begin with a word of a later version are left alone.
void MetadataParser::line(std::string_view word) {
  if (word_line(word) || member_line(word)) return;
  if (word == "call") return add_call();
  if (word == "command") return add_command();
  if (word == "arg") return add_argument();
  if (word == "request") return add_request();
  if (word == "ioctl") return add_ioctl();
  if (word == "end") ended_ = true;
}

void MetadataParser::parse() {
  begin();
  learn_names();
  while (!ended_ && next_line())
    if (at_ < end_ && *at_ != '#') line(token("a word"));
  if (!ended_) refuse("truncated");
}

}  // namespace sctrace::read
