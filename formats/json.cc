#include "formats/json.h"

#include <fmt/format.h>

#include <iterator>

namespace sctrace {

namespace {

// Bytes of the UTF-8 character that `text` begins with; 0: it begins with none.
size_t character(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  const size_t size = first < 0x80   ? 1
                      : first < 0xc2 ? 0
                      : first < 0xe0 ? 2
                      : first < 0xf0 ? 3
                      : first < 0xf5 ? 4
                                     : 0;
  if (size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i)
    if ((at(i) & 0xc0) != 0x80) return 0;
  if (size < 3) return size;
  const unsigned char second = at(1);  // too long, a surrogate, beyond the last character
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90))
    return 0;
  return size;
}

bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

void put_json(std::string& to, std::string_view text) {
  to += '"';
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && is_plain(static_cast<unsigned char>(text[plain]))) ++plain;
    to.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto byte = static_cast<unsigned char>(text[0]);
    const size_t size = character(text);
    if (byte == '"' || byte == '\\')
      to += '\\', to += text[0];
    else if (byte < 0x20 || byte == 0x7f)
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", byte);
    else if (size)
      to.append(text.substr(0, size));
    else
      fmt::format_to(std::back_inserter(to), "\\\\x{:02x}", byte);
    text.remove_prefix(size ? size : 1);
  }
  to += '"';
}

std::string json_text(std::string_view text) {
  std::string all;
  put_json(all, text);
  return all;
}

void put_microseconds(std::string& to, uint64_t ns) {
  fmt::format_to(std::back_inserter(to), "{}.{:03}", ns / 1000, ns % 1000);
}

}  // namespace sctrace
