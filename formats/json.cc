#include "formats/json.h"

#include <fmt/format.h>

#include <iterator>

#include "formats/utf8.h"

namespace sctrace {

namespace {

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
    const size_t size = utf8_character(text);
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

void put_decimal(std::string& to, uint64_t number) {
  const fmt::format_int text(number);
  to.append(text.data(), text.size());
}

void put_decimal(std::string& to, int64_t number) {
  const fmt::format_int text(number);
  to.append(text.data(), text.size());
}

void put_microseconds(std::string& to, uint64_t ns) {
  put_decimal(to, ns / 1000);
  const uint64_t rest = ns % 1000;
  const char digits[] = {'.', static_cast<char>('0' + rest / 100),
                         static_cast<char>('0' + rest / 10 % 10),
                         static_cast<char>('0' + rest % 10)};
  to.append(digits, sizeof digits);
}

}  // namespace sctrace
