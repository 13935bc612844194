#include "formats/device/command.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace sctrace::device {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

std::string_view word_of(std::string_view& text) {
  text = trimmed(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  text = trimmed(text);
  return word;
}

bool unsigned_in(std::string_view text, uint64_t& value) {
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  return wrong == std::errc() && end == text.data() + text.size();
}

// PID.TID in front of an answer. False: there is something like it that makes no sense.
bool take_address(std::string_view& text, Command& made) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return true;
  const std::string_view word = word_of(text);
  const size_t dot = word.find('.');
  uint64_t pid = 0, tid = 0;
  if (dot == word.npos || !unsigned_in(word.substr(0, dot), pid) ||
      !unsigned_in(word.substr(dot + 1), tid) || !pid || !tid || (pid | tid) >> 32)
    return false;
  made.pid = static_cast<uint32_t>(pid), made.tid = static_cast<uint32_t>(tid);
  return true;
}

// At commas that are in no quotes and no brackets. False: one of them is left open.
bool split(std::string_view text, std::vector<std::string>& out) {
  int deep = 0;
  bool quotes = false;
  size_t begin = 0;
  text = trimmed(text);
  if (text.empty()) return true;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quotes && c == '\\')
      ++at;
    else if (c == '"')
      quotes = !quotes;
    else if (!quotes && (c == '{' || c == '[' || c == '('))
      ++deep;
    else if (!quotes && (c == '}' || c == ']' || c == ')'))
      --deep;
    else if (!quotes && !deep && c == ',') {
      out.emplace_back(trimmed(text.substr(begin, at - begin)));
      begin = at + 1;
    }
    if (deep < 0) return false;
  }
  out.emplace_back(trimmed(text.substr(begin)));
  for (const std::string& one : out)
    if (one.empty()) return false;
  return !quotes && !deep;
}

bool duration_in(std::string_view text, uint64_t& ns) {
  size_t n = 0;
  while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
  const std::string_view unit = text.substr(n);
  const uint64_t scale = unit == "s" || unit.empty() ? 1'000'000'000
                         : unit == "ms"              ? 1'000'000
                         : unit == "us"              ? 1'000
                         : unit == "ns"              ? 1
                                                     : 0;
  return scale && unsigned_in(text.substr(0, n), ns) && !__builtin_mul_overflow(ns, scale, &ns);
}

std::string result_of(std::string_view word, std::string_view rest, Command& made) {
  const bool fails = word.ends_with("fail");
  made.verb = word.starts_with("skip") ? Command::Verb::skip : Command::Verb::result;
  if (!fails) return number_in(rest, made.result) ? "" : "expected a number";
  made.result = -error_number(rest);
  return made.result ? "" : "expected an error's name";
}

std::string signal_of(std::string_view rest, Command& made) {
  made.verb = Command::Verb::signal;
  if (rest.starts_with("SIG")) rest.remove_prefix(3);
  uint64_t n = 0;
  if (unsigned_in(rest, n)) made.result = static_cast<int64_t>(n);
  for (int i = 1; i < 32 && !made.result; ++i)
    if (const char* name = sigabbrev_np(i); name && rest == name) made.result = i;
  return made.result >= 1 && made.result <= 64 ? "" : "expected a signal";
}

// set N "bytes", get N [OFFSET LENGTH]
std::string memory_of(std::string_view word, std::string_view rest, Command& made) {
  uint64_t n = 0;
  made.verb = word == "set" ? Command::Verb::set : Command::Verb::get;
  if (!unsigned_in(word_of(rest), n) || n < 1 || n > 6) return "expected an argument from 1 to 6";
  made.argument = static_cast<uint32_t>(n - 1);
  if (word == "set") return unquoted(rest, made.text) ? "" : "expected bytes in quotes";
  if (rest.empty()) return {};
  made.ranged = true;
  const bool good =
      unsigned_in(word_of(rest), made.offset) && unsigned_in(word_of(rest), made.length);
  return good && rest.empty() ? "" : "expected an offset and a length";
}

std::string setting_of(std::string_view word, std::string_view rest, Command& made) {
  if (word == "trace") {
    made.verb = Command::Verb::trace, made.text = rest;
    return rest.empty() ? "expected system calls" : "";
  }
  if (word == "signals") {
    made.verb = Command::Verb::signals, made.on = rest == "on";
    return made.on || rest == "off" ? "" : "expected on or off";
  }
  if (word == "limit") {
    made.verb = Command::Verb::limit;
    return unsigned_in(rest, made.length) ? "" : "expected a number of bytes";
  }
  made.verb = Command::Verb::patience;
  return duration_in(rest, made.length) ? "" : "expected a time: 500ms, 5s; 0 is for ever";
}

std::string plain(Command::Verb verb, std::string_view rest, Command& made) {
  made.verb = verb;
  return rest.empty() ? "" : "nothing follows this word";
}

int digit(char c, int base) {
  const int n = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;
  return n < base ? n : -1;
}

// What stands behind a backslash; moves `at` behind it.
bool escape(std::string_view text, size_t& at, char& out) {
  static constexpr char letters[] = "abfnrtv\\\"'?e", meant[] = "\a\b\f\n\r\t\v\\\"'?\x1b";
  if (at >= text.size()) return false;
  if (const char* known = std::strchr(letters, text[at]); known && text[at])
    return out = meant[known - letters], ++at, true;
  const bool hex = text[at] == 'x';
  const int base = hex ? 16 : 8;
  const size_t most = hex ? 2 : 3, begin = at += hex;
  int value = 0;
  for (; at < text.size() && at - begin < most && digit(text[at], base) >= 0; ++at)
    value = value * base + digit(text[at], base);
  out = static_cast<char>(value);
  return at > begin && value < 256;
}

}  // namespace

bool unquoted(std::string_view text, std::string& bytes) {
  bytes.clear();
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  for (size_t at = 0; at < text.size();) {
    char c = text[at++];
    if (c == '"') return false;
    if (c == '\\' && !escape(text, at, c)) return false;
    bytes += c;
  }
  return true;
}

bool number_in(std::string_view text, int64_t& value) {
  const bool minus = text.starts_with('-');
  if (minus) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x"))
    text.remove_prefix(2), base = 16;
  else if (text.size() > 1 && text.front() == '0')
    base = 8;
  uint64_t n = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), n, base);
  if (text.empty() || wrong != std::errc() || end != text.data() + text.size()) return false;
  value = static_cast<int64_t>(minus ? 0 - n : n);
  return true;
}

std::string quoted_bytes(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (c == '\n')
      out += "\\n";
    else if (byte >= 0x20 && byte < 0x7f)
      out += c;
    else
      out += fmt::format("\\{:03o}", byte);
  }
  return out + '"';
}

int64_t error_number(std::string_view name) {
  for (int n = 1; n < 200; ++n)
    if (const char* known = strerrorname_np(n); known && name == known) return n;
  int64_t n = 0;
  return number_in(name, n) && n > 0 && n < 4096 ? n : 0;
}

std::string parse_command(std::string_view line, Command& made) {
  using Verb = Command::Verb;
  made = {};
  std::string_view rest = trimmed(line);
  if (!take_address(rest, made)) return "PID.TID expected in front of an answer";
  const std::string_view word = word_of(rest);
  if (word.empty()) return "an empty line";
  if (word == "trace" || word == "signals" || word == "limit" || word == "patience")
    return setting_of(word, rest, made);
  if (word == "packed") return plain(Verb::packed, rest, made);
  if (word == "cont") return plain(Verb::cont, rest, made);
  if (word == "step") return plain(Verb::step, rest, made);
  if (word == "deliver") return plain(Verb::deliver, rest, made);
  if (word == "drop") return plain(Verb::drop, rest, made);
  if (word == "skip-fail" || word == "skip-ok" || word == "ok" || word == "fail")
    return result_of(word, rest, made);
  if (word == "signal") return signal_of(rest, made);
  if ((word == "set" || word == "get")) return memory_of(word, rest, made);
  made.verb = Verb::call, made.text = word;
  return split(rest, made.arguments) ? "" : "arguments that are not well formed";
}

}  // namespace sctrace::device
