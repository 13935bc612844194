// Label: what is said of a Value beside its own characters: a name, a remark. Mostly a word of the
// table or of our code, which outlive every value and are pointed at; else a copy. A std::string
// would have as many bytes again and be moved as text, and values are moved all the time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sctrace {

class Label {
 public:
  Label() = default;
  // Of a literal. What is no literal is copied.
  template <size_t n>
  Label(const char (&literal)[n]) : at_(literal), size_(length(literal)) {}
  template <size_t n>
  Label(char (&array)[n]) : Label(std::string_view(array)) {}
  template <class Pointer>
  requires std::is_same_v<Pointer, const char*> || std::is_same_v<Pointer, char*> Label(
      const Pointer& text)
      : Label(std::string_view(text)) {}
  Label(const std::string& text) : Label(std::string_view(text)) {}
  explicit Label(std::string_view text) { copy(text); }
  Label(const Label& other) : at_(other.at_), size_(other.size_) {
    if (other.is_own_) copy(other);
  }
  Label(Label&& other) noexcept
      : at_(std::exchange(other.at_, "")),
        size_(std::exchange(other.size_, 0u)),
        is_own_(std::exchange(other.is_own_, false)) {}
  Label& operator=(Label other) noexcept {
    std::swap(at_, other.at_), std::swap(size_, other.size_), std::swap(is_own_, other.is_own_);
    return *this;
  }
  ~Label() {
    if (is_own_) delete[] at_;
  }
  // Of a word that outlives the value, as those of the table do.
  static Label kept(const char* word) {
    Label label;
    label.at_ = word, label.size_ = length(word);
    return label;
  }

  bool empty() const { return !size_; }
  size_t size() const { return size_; }
  const char* data() const { return at_; }
  const char* c_str() const { return at_; }
  operator std::string_view() const { return {at_, size_}; }
  friend bool operator==(const Label& a, const Label& b) {
    return std::string_view(a) == std::string_view(b);
  }
  friend bool operator==(const Label& a, std::string_view b) { return std::string_view(a) == b; }
  friend bool operator==(const Label& a, const char* b) { return std::string_view(a) == b; }
  friend std::string operator+(std::string a, const Label& b) { return a += std::string_view(b); }
  friend std::string operator+(const Label& a, std::string_view b) {
    return std::string(a.at_, a.size_) += b;
  }
  void clear() { *this = Label(); }

 private:
  static uint32_t length(const char* text) { return static_cast<uint32_t>(std::strlen(text)); }
  void copy(std::string_view text) {
    text = text.substr(0, UINT32_MAX);
    if (text.empty()) return;
    char* own = new char[text.size() + 1];
    std::memcpy(own, text.data(), text.size());
    own[text.size()] = '\0';
    at_ = own, size_ = static_cast<uint32_t>(text.size()), is_own_ = true;
  }
  const char* at_ = "";  // a nul is behind it
  uint32_t size_ = 0;
  bool is_own_ = false;
};

}  // namespace sctrace
