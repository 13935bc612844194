#include "formats/device/tokens.h"

#include <algorithm>
#include <set>

#include "formats/device/command.h"

namespace sctrace::device {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_shape(char c) { return std::string_view("{}[](),").find(c) != std::string_view::npos; }

// Behind the closing quote, and the dots that say that there was more.
size_t end_of_text(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  at = std::min(at + 1, text.size());
  return text.substr(at).starts_with("...") ? at + 3 : at;
}

// "[INT TERM]", "~[KILL]", "[3]": a set is one leaf. npos: it is a list.
size_t end_of_set(std::string_view text, size_t at) {
  const size_t begin = text[at] == '~' ? at + 2 : at + 1;
  const size_t end = text.find_first_of("[]{}(),\"=", begin);
  return end < text.size() && text[end] == ']' ? end + 1 : text.npos;
}

bool begins_set(std::string_view text, size_t at) {
  return text[at] == '[' || text.substr(at).starts_with("~[");
}

size_t end_of_word(std::string_view text, size_t at) {
  while (at < text.size() && !is_shape(text[at]) && !is_blank(text[at]) && text[at] != '"' &&
         text[at] != '=')
    ++at;
  return at;
}

}  // namespace

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> out;
  const auto add = [&](size_t begin, size_t end, bool leaf) {
    out.push_back({std::string(text.substr(begin, end - begin)), leaf});
    return end;
  };
  for (size_t at = 0; at < text.size();) {
    if (is_blank(text[at])) {
      ++at;
    } else if (text.substr(at).starts_with("/*")) {  // a remark, not a part of the call
      const size_t end = text.find("*/", at);
      at = end == text.npos ? text.size() : end + 2;
    } else if (text[at] == '"' || text.substr(at).starts_with("@\"")) {
      at = add(at, end_of_text(text, at + (text[at] == '@')), true);
    } else if (begins_set(text, at) && end_of_set(text, at) != text.npos) {
      at = add(at, end_of_set(text, at), true);
    } else if (is_shape(text[at]) || text[at] == '=') {
      at = add(at, at + 1 + text.substr(at).starts_with("=>"), false);
    } else {
      const size_t end = end_of_word(text, at);
      const bool names = end < text.size() && text[end] == '=' && text.substr(end, 2) != "=>";
      at = add(at, end + names, !names);
    }
  }
  return out;
}

bool same_leaf(std::string_view a, std::string_view b) {
  if (a == b) return true;
  int64_t m, n;
  if (a == "NULL") a = "0";
  if (b == "NULL") b = "0";
  if (number_in(a, m) && number_in(b, n)) return m == n;
  if (!a.empty() && !b.empty() && a.front() == '"' && b.front() == '"') {
    std::string x, y;
    return unquoted(a, x) && unquoted(b, y) && x == y;
  }
  if (a.empty() || b.empty() || a.find('"') != a.npos) return false;
  const bool sets = a.back() == ']' && b.back() == ']' && a.front() == b.front();
  const char between = sets ? ' ' : '|';
  if (a.find(between) == a.npos) return false;
  if (sets) a.remove_suffix(1), b.remove_suffix(1);
  if (sets) a.remove_prefix(a.find('[') + 1), b.remove_prefix(b.find('[') + 1);
  const auto parts = [between](std::string_view text) {
    std::multiset<std::string> all;
    for (size_t at; (at = text.find(between)) != text.npos; text.remove_prefix(at + 1))
      all.emplace(text.substr(0, at));
    all.emplace(text);
    return all;
  };
  return parts(a) == parts(b);
}

std::string member_at(const std::vector<Token>& tokens, size_t at) {
  for (size_t i = std::min(at + 1, tokens.size()); i-- > 0;)
    if (!tokens[i].leaf && tokens[i].text.size() > 1 && tokens[i].text.ends_with('='))
      return tokens[i].text.substr(0, tokens[i].text.size() - 1);
  return {};
}

}  // namespace sctrace::device
