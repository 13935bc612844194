// Strings of JSON lines.
#include <array>
#include <cstring>

#include "formats/json_lines.h"
#include "formats/plain_run.h"
#include "formats/utf8.h"

namespace sctrace {

namespace {

bool is_ascii(std::string_view text) {
  uint64_t all = 0, eight = 0;
  size_t at = 0;
  for (; at + sizeof eight <= text.size(); at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    all |= eight;
  }
  for (; at < text.size(); ++at) all |= static_cast<unsigned char>(text[at]) & 0x80;
  return !(all & 0x8080'8080'8080'8080);
}

bool is_utf8(std::string_view text) {
  if (is_ascii(text)) return true;
  while (!text.empty()) {
    const size_t n = utf8_character(text);
    if (!n) return false;
    text.remove_prefix(n);
  }
  return true;
}

enum class Way : uint8_t { plain, backslash, number };

constexpr auto ways_of(bool bytewise) {
  std::array<Way, 256> table{};
  for (size_t c = 0; c < 256; ++c)
    if (c < 0x20 || c == 0x7f || (bytewise && c >= 0x80)) table[c] = Way::number;
  table['"'] = table['\\'] = Way::backslash;
  return table;
}
constexpr auto ways_of_text = ways_of(false), ways_of_bytes = ways_of(true);

}  // namespace

// Through a few bytes on the stack: growing `to` for each escape was most of the work.
bool put_json_string(std::string& to, std::string_view text) {
  const bool bytewise = !is_utf8(text);
  const auto& ways = bytewise ? ways_of_bytes : ways_of_text;
  constexpr size_t longest = plain_step;  // and more than that of an escape, \u00ff
  char part[512];
  size_t n = 0;
  part[n++] = '"';
  for (size_t done = 0; done < text.size();) {
    if (n > sizeof part - longest) to.append(part, n), n = 0;
    const char c = text[done];
    const auto byte = static_cast<unsigned char>(c);
    const Way way = ways[byte];
    if (way == Way::plain && byte < 0x80) {
      const size_t plain = copy_plain(part + n, text.data() + done, text.size() - done);
      n += plain, done += plain;
      continue;
    }
    ++done;
    if (way == Way::plain) {
      part[n++] = c;
    } else if (way == Way::backslash) {
      part[n++] = '\\', part[n++] = c;
    } else {
      constexpr char digits[] = "0123456789abcdef";
      const char number[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
      std::memcpy(part + n, number, sizeof number);
      n += sizeof number;
    }
  }
  to.append(part, n) += '"';
  return bytewise;
}

}  // namespace sctrace
