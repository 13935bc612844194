#include "formats/text_quotes.h"

#include <algorithm>
#include <array>

#include "formats/plain_run.h"

namespace sctrace {

namespace {

bool is_plain(unsigned char c) { return c >= ' ' && c < 0x7f; }
bool is_blank(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool wants_hex(std::string_view text, int hex) {
  if (hex == 2) return true;
  if (hex != 1) return false;
  for (unsigned char c : text)
    if (!is_plain(c) && !is_blank(c)) return true;
  return false;
}

// Octal, as short as the next character allows.
size_t write_octal(char* to, unsigned char c, bool digit_follows) {
  const auto digit = [](unsigned n) { return static_cast<char>('0' + (n & 7)); };
  const char all[] = {digit(c >> 6), digit(c >> 3), digit(c)};
  const size_t left_out = digit_follows || c >= 0100 ? 0 : c >= 010 ? 1 : 2;
  size_t n = 0;
  to[n++] = '\\';
  for (size_t i = left_out; i < sizeof all; ++i) to[n++] = all[i];
  return n;
}

void append_octal(std::string& out, unsigned char c, bool digit_follows) {
  char text[4];
  out.append(text, write_octal(text, c, digit_follows));
}

void append_hex(std::string& out, unsigned char c) {
  constexpr char digits[] = "0123456789abcdef";
  const char text[] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
  out.append(text, sizeof text);
}

// What stands for a character between quotes: itself, a letter behind a backslash, or a number: 0.
constexpr auto letters = [] {
  std::array<char, 256> table{};
  for (size_t c = ' '; c < 0x7f; ++c) table[c] = static_cast<char>(c);
  constexpr char special[] = "\f\n\r\t\v", letter[] = "fnrtv";
  for (size_t i = 0; i < sizeof special - 1; ++i)
    table[static_cast<unsigned char>(special[i])] = letter[i];
  return table;
}();

bool is_octal(char c) { return c >= '0' && c <= '7'; }

}  // namespace

// Through a few bytes on the stack: what programs read and write is full of what is escaped, and
// making room in `out` for each was most of the work.
void append_quoted(std::string& out, std::string_view text, int hex) {
  if (wants_hex(text, hex)) {
    for (unsigned char c : text) append_hex(out, c);
    return;
  }
  char part[256];
  size_t n = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (n > sizeof part - plain_step) out.append(part, n), n = 0;
    const char c = text[i], letter = letters[static_cast<unsigned char>(c)];
    if (letter == c && c != '"' && c != '\\' && c) {
      const size_t plain = copy_plain(part + n, text.data() + i, text.size() - i);
      n += plain, i += plain - 1;
    } else if (letter) {
      part[n++] = '\\', part[n++] = letter;
    } else if (hex == 3) {
      out.append(part, n), n = 0;
      append_hex(out, static_cast<unsigned char>(c));
    } else {
      n += write_octal(part + n, static_cast<unsigned char>(c),
                       i + 1 < text.size() && is_octal(text[i + 1]));
    }
  }
  out.append(part, n);
}

std::string in_brackets(std::string_view text, int hex) {
  std::string out;
  if (wants_hex(text, hex)) {
    append_quoted(out, text, hex);
    return out;
  }
  for (size_t at = 0; at < text.size();) {
    const size_t bracket = std::min(text.find_first_of("<>", at), text.size());
    append_quoted(out, text.substr(at, bracket - at), hex);
    if (bracket == text.size()) break;
    const bool digit_follows = bracket + 1 < text.size() && is_octal(text[bracket + 1]);
    append_octal(out, static_cast<unsigned char>(text[bracket]), digit_follows);
    at = bracket + 1;
  }
  return out;
}

std::string for_terminal(std::string_view text) {
  std::string shown;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : '\0';
    const bool is_digit_next = next >= '0' && next <= '9';
    const bool is_wide_control = c == 0xc2 && next >= 0x80 && next < 0xa0;  // U+0080 to U+009F
    if (c >= ' ' && c != 0x7f && !is_wide_control) {
      shown += text[i];
      continue;
    }
    append_octal(shown, c, is_digit_next);
    if (is_wide_control) append_octal(shown, next, true), ++i;
  }
  return shown;
}

}  // namespace sctrace
