#include "formats/json.h"

#include <fmt/format.h>

#include <iterator>

#include "formats/plain_run.h"
#include "formats/utf8.h"

namespace sctrace {

namespace {

bool is_plain(char c) { return c >= 0x20 && c < 0x7f; }

}  // namespace

// Through a few bytes on the stack: strings in strace's notation are full of quotes and
// backslashes, and making room in `to` for each of them was most of the work.
void put_json(std::string& to, std::string_view text) {
  to += '"';
  while (!text.empty()) {
    char part[256];
    size_t n = 0, done = 0;
    while (done < text.size() && n < sizeof part - plain_step) {
      const char c = text[done];
      if (!is_plain(c)) break;
      if (c == '"' || c == '\\') {
        part[n++] = '\\', part[n++] = c, ++done;
        continue;
      }
      const size_t plain = copy_plain(part + n, text.data() + done, text.size() - done);
      n += plain, done += plain;
    }
    to.append(part, n);
    text.remove_prefix(done);
    if (done) continue;
    const auto byte = static_cast<unsigned char>(text[0]);
    const size_t size = utf8_character(text);
    if (byte < 0x20 || byte == 0x7f)
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
