#include "formats/text_filter.h"

#include <regex.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "formats/read/table.h"

namespace sctrace {
namespace {

uint32_t class_named(std::string_view name) {
  static constexpr struct {
    std::string_view name;
    uint32_t classes;
  } classes[] = {
      {"file", arch::file},
      {"desc", arch::descriptor},
      {"process", arch::process},
      {"net", arch::network},
      {"network", arch::network},
      {"memory", arch::memory},
      {"signal", arch::signal},
      {"ipc", arch::ipc},
      {"creds", arch::creds},
      {"clock", arch::clock},
      {"pure", arch::pure},
      {"stat", arch::stat_like},
      {"lstat", arch::lstat_like},
      {"fstat", arch::fstat_like},
      {"statfs", arch::statfs_like},
      {"fstatfs", arch::fstatfs_like},
      {"%stat", arch::stat_like | arch::lstat_like | arch::fstat_like},
      {"%statfs", arch::statfs_like | arch::fstatfs_like},
  };
  for (const auto& c : classes)
    if (c.name == name) return c.classes;
  return 0;
}

template <class Matches>
bool add(CallSet& set, Matches matches) {
  bool any = false;
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr) {
    const arch::Row& row = read::lookup(nr);
    if (!row.name || !matches(nr, row)) continue;
    set.set(nr);
    any = true;
  }
  return any;
}

// POSIX extended, as strace's and as SCTRACE_TRACE's in preload/config.cc.
class Pattern {
 public:
  explicit Pattern(const std::string& text) {
    if (regcomp(&compiled_, text.c_str(), REG_EXTENDED | REG_NOSUB))
      throw std::invalid_argument("invalid regular expression '" + text + "'");
  }
  ~Pattern() { regfree(&compiled_); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  bool matches(const char* name) const { return regexec(&compiled_, name, 0, nullptr, 0) == 0; }

 private:
  regex_t compiled_;
};

void add_one(CallSet& set, std::string_view word) {
  const bool lenient = word.starts_with('?');
  while (word.starts_with('?')) word.remove_prefix(1);
  if (const size_t at = word.find('@'); at != word.npos) word = word.substr(0, at);
  bool found = false;
  uint32_t number = 0;
  if (word == "all") return void(set.set());
  if (word == "none") return;
  if (word.starts_with('/')) {
    word.remove_prefix(1);
    if (word.ends_with('/')) word.remove_suffix(1);
    const Pattern pattern{std::string(word)};
    found = add(set, [&](uint32_t, const arch::Row& row) { return pattern.matches(row.name); });
  } else if (const auto [end, error] =
                 std::from_chars(word.data(), word.data() + word.size(), number);
             error == std::errc() && end == word.data() + word.size()) {
    set.set(std::min(number, arch::number_limit));
    return;
  } else {
    const uint32_t classes = class_named(word.starts_with('%') ? word.substr(1) : word);
    found = add(set, [&](uint32_t, const arch::Row& row) {
      return classes ? (row.classes & classes) != 0 : row.name == word;
    });
  }
  if (!found && !lenient)
    throw std::invalid_argument("invalid system call '" + std::string(word) + "'");
}

}  // namespace

CallSet call_set(std::string_view expression) {
  CallSet set;
  const bool inverted = expression.starts_with('!');
  if (inverted) expression.remove_prefix(1);
  while (!expression.empty()) {
    const size_t comma = expression.find(',');
    const std::string_view word = expression.substr(0, comma);
    if (!word.empty()) add_one(set, word);
    if (comma == expression.npos) break;
    expression.remove_prefix(comma + 1);
  }
  return inverted ? ~set : set;
}

bool TextFilter::wants(const Event& e) const {
  if (!trace.test(std::min(e.nr, arch::number_limit))) return false;
  if (!(e.ended ? (e.failed || e.restarted ? failed : successful) : unfinished)) return false;
  if (paths.empty()) return true;
  return std::any_of(e.paths.begin(), e.paths.end(), [&](const std::string& p) {
    return std::find(paths.begin(), paths.end(), p) != paths.end();
  });
}

}  // namespace sctrace
