// Binary formats are built in strings: numbers little-endian, texts as they are.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace sctrace {

template <class Number>
void put(std::string& to, Number value) {
  static_assert(std::is_trivially_copyable_v<Number>);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

template <class Number>
std::string bytes_of(Number value) {
  std::string to;
  put(to, value);
  return to;
}

// The text and its nul, filled up with further ones to a multiple of `align`.
inline void put_text(std::string& to, std::string_view text, size_t align = 1) {
  to.append(text);
  to.append(align - text.size() % align, '\0');
}

}  // namespace sctrace
