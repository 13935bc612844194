// Numbers as 0x1f, or 0x0: written where they belong, not carried there.
#pragma once
#include <cstdint>
#include <string>

namespace sctrace {

inline void put_hexadecimal(std::string& to, uint64_t number) {
  constexpr char digits[] = "0123456789abcdef";
  char text[18];
  char* at = text + sizeof text;
  do *--at = digits[number & 15];
  while (number >>= 4);
  *--at = 'x', *--at = '0';
  to.append(at, static_cast<size_t>(text + sizeof text - at));
}

}  // namespace sctrace
