// What --help prints, at most 80 columns wide and a screen high: tests/cli holds it to that.
#include <fmt/format.h>

#include "formats/cli/options.h"

namespace sctrace::cli {

namespace {

constexpr size_t width = 80, column = 27;

// Characters, not bytes: ours are one column each.
size_t columns_of(std::string_view text) {
  size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

std::string row(const OptionShown& one) {
  std::string names;
  for (const std::string& name : one.names) names += (names.empty() ? "" : ",") + name;
  if (!one.value.empty()) names += " " + one.value;
  std::string text = "  " + names;
  const size_t used = columns_of(text);
  if (used + 1 > column)
    text += "\n" + std::string(column, ' ');
  else
    text.append(column - used, ' ');
  return text + wrapped(one.brief, width, column) + "\n";
}

// Those that the help only names.
std::string named_only(const VerbShown& verb) {
  std::string names;
  for (const OptionShown& one : verb.shown)
    if (one.manual) names += " " + one.names.front();
  if (names.empty()) return names;
  return "  " + wrapped("and, told of in the manual page:" + names, width, 2) + "\n";
}

// A line of a list goes on below where its second column begins.
std::string footer(const std::string& text) {
  std::string all;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    const size_t gap = line.starts_with("  ") ? line.find("  ", 2) : std::string::npos;
    const size_t begin = gap == std::string::npos ? 0 : line.find_first_not_of(' ', gap);
    all += line.substr(0, begin) + wrapped(line.substr(begin), width, begin) + "\n";
  }
  return all;
}

}  // namespace

std::string wrapped(const std::string& text, size_t most, size_t indent) {
  std::string all;
  size_t used = indent;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    at = end + 1;
    const size_t n = columns_of(word);
    if (used > indent && used + 1 + n > most) {
      all += "\n" + std::string(indent, ' ');
      used = indent;
    }
    if (used > indent) all += ' ', ++used;
    all += word;
    used += n;
  }
  return all;
}

std::string help_of(const VerbShown& verb) {
  std::string text = "usage: " + wrapped(verb.usage, width, 7) + "\n\n";
  for (const std::string& line : verb.about) text += wrapped(line, width, 0) + "\n";
  text += "\n";
  for (const OptionShown& one : verb.shown)
    if (!one.manual) text += row(one);
  text += named_only(verb);
  if (verb.footer.empty()) return text;
  return text + "\n" + footer(verb.footer);
}

}  // namespace sctrace::cli
