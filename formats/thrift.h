// Thrift's compact protocol, as far as Parquet's footer needs it: structs with ascending fields.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sctrace {

class Thrift {
 public:
  Thrift& number(int field, int32_t value) { return head(field, 5), zigzag(value), *this; }
  Thrift& wide(int field, int64_t value) { return head(field, 6), zigzag(value), *this; }
  Thrift& flag(int field, bool value) { return head(field, value ? 1 : 2), *this; }
  Thrift& text(int field, std::string_view bytes) {
    head(field, 8);
    return text(bytes);
  }
  Thrift& inner(int field, const Thrift& value) {
    head(field, 12);
    bytes_ += value.done();
    return *this;
  }
  // Elements as done() or their own encoding gives them; kind 5: i32, 8: binary, 12: struct.
  Thrift& list(int field, int kind, const std::vector<std::string>& elements) {
    head(field, 9);
    const size_t n = elements.size();
    bytes_ += static_cast<char>((n < 15 ? n : 15) << 4 | static_cast<size_t>(kind));
    if (n >= 15) varint(n);
    for (const std::string& one : elements) bytes_ += one;
    return *this;
  }
  std::string done() const { return bytes_ + '\0'; }

  static std::string element(int32_t value) {
    Thrift one;
    one.zigzag(value);
    return one.bytes_;
  }
  static std::string element(std::string_view bytes) {
    Thrift one;
    one.text(bytes);
    return one.bytes_;
  }

 private:
  void head(int field, int type) {
    bytes_ += static_cast<char>((field - last_) << 4 | type);  // no gap is longer than 15
    last_ = field;
  }
  void varint(uint64_t value) {
    for (; value > 0x7f; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  void zigzag(int64_t value) {
    varint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }
  Thrift& text(std::string_view bytes) {
    varint(bytes.size());
    bytes_ += bytes;
    return *this;
  }

  std::string bytes_;
  int last_ = 0;
};

}  // namespace sctrace
