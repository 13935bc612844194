#include "tests/support/hex.h"

#include <cctype>
#include <stdexcept>

namespace sctrace::test {

std::vector<uint8_t> hex(std::string_view text) {
  std::vector<uint8_t> bytes;
  int high = -1;
  for (char c : text) {
    if (c == ' ') continue;
    if (!std::isxdigit(static_cast<unsigned char>(c)))
      throw std::invalid_argument("hex: not a digit");
    const int digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
    if (high < 0)
      high = digit;
    else
      bytes.push_back(static_cast<uint8_t>(high << 4 | digit)), high = -1;
  }
  if (high >= 0) throw std::invalid_argument("hex: odd number of digits");
  return bytes;
}

}  // namespace sctrace::test
