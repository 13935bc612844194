// The text of a request. Whatever is not plainly right is refused, in one line.
#include <algorithm>
#include <optional>

#include "formats/cli/http.h"

namespace sctrace::cli {

namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::string> decoded(std::string_view text, bool query) {
  std::string all;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '+' && query) c = ' ';
    if (c == '%') {
      if (at + 2 >= text.size()) return std::nullopt;
      const int high = digit(text[at + 1]), low = digit(text[at + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      at += 2;
    }
    if (c == '\0') return std::nullopt;
    all += c;
  }
  return all;
}

// The part of `text` before `end`, which is taken away with it.
std::string_view taken(std::string_view& text, std::string_view end) {
  const size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text = at == text.npos ? std::string_view() : text.substr(at + end.size());
  return part;
}

bool parse_query(std::string_view text, std::map<std::string, std::string>& query) {
  while (!text.empty()) {
    std::string_view value = taken(text, "&");
    const std::string_view name = taken(value, "=");
    const auto a = decoded(name, true), b = decoded(value, true);
    if (!a || !b) return false;
    query[*a] = *b;
  }
  return true;
}

bool parse_headers(std::string_view text, std::map<std::string, std::string>& headers) {
  while (!text.empty()) {
    std::string_view value = taken(text, "\r\n");
    if (value.find(':') == value.npos) return false;
    std::string name(taken(value, ":"));
    if (name.empty() || name.find_first_of(" \t\r\n") != name.npos) return false;
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    const size_t begin = std::min(value.find_first_not_of(" \t"), value.size());
    value.remove_prefix(begin);
    value = value.substr(0, value.find_last_not_of(" \t") + 1);
    if (name == "host" && headers.contains(name)) return false;
    headers[name] = value;
  }
  return true;
}

}  // namespace

Asked parse_request(std::string_view text) {
  Asked asked;
  const auto refuse = [&](int status, const char* why) {
    asked.refused = refusal(status, why);
    return asked;
  };
  std::string_view line = taken(text, "\r\n");
  const std::string_view method = taken(line, " "), target = taken(line, " ");
  if (line != "HTTP/1.1" && line != "HTTP/1.0") return refuse(400, "no request of HTTP/1.1");
  asked.request.head = method == "HEAD";
  if (method != "GET" && !asked.request.head) {
    refuse(405, "only GET and HEAD are known");
    asked.refused.headers["Allow"] = "GET, HEAD";
    return asked;
  }
  std::string_view query = target;
  const auto path = decoded(taken(query, "?"), false);
  if (!path || !path->starts_with('/')) return refuse(400, "a path that makes no sense");
  asked.request.path = *path;
  if (!parse_query(query, asked.request.query)) return refuse(400, "a query that makes no sense");
  if (!parse_headers(text, asked.request.headers))
    return refuse(400, "a header that makes no sense");
  if (!asked.request.headers.contains("host")) return refuse(400, "a request without Host");
  return asked;
}

}  // namespace sctrace::cli
