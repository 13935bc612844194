// Protocol buffers, written by hand: fields appended to a string.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace sctrace::protobuf {

inline void put_varint(std::string& to, uint64_t value) {
  while (value >= 0x80) {
    to += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  to += static_cast<char>(value);
}

inline void put_number(std::string& to, uint32_t field, uint64_t value) {
  put_varint(to, uint64_t{field} << 3);
  put_varint(to, value);
}

inline void put_fixed(std::string& to, uint32_t field, uint64_t value) {
  put_varint(to, uint64_t{field} << 3 | 1);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

// Of strings, bytes and messages.
inline void put_bytes(std::string& to, uint32_t field, std::string_view bytes) {
  put_varint(to, uint64_t{field} << 3 | 2);
  put_varint(to, bytes.size());
  to.append(bytes);
}

}  // namespace sctrace::protobuf
