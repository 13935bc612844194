#include "formats/utf8.h"

#include <fmt/format.h>

#include <iterator>

namespace sctrace {

size_t utf8_character(std::string_view text) {
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

std::string utf8_of(std::string_view text) {
  std::string all;
  put_utf8(all, text);
  return all;
}

void put_utf8(std::string& all, std::string_view text) {
  while (!text.empty()) {
    size_t good = 0;  // most of it, mostly
    for (size_t size = 1; size && good < text.size(); good += size)
      size = static_cast<unsigned char>(text[good]) < 0x80 ? 1 : utf8_character(text.substr(good));
    all.append(text.substr(0, good));
    text.remove_prefix(good);
    if (text.empty()) return;
    fmt::format_to(std::back_inserter(all), "\\x{:02x}", static_cast<unsigned char>(text[0]));
    text.remove_prefix(1);
  }
}

}  // namespace sctrace
