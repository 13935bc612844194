// A shown argument, cut into what gives it its shape (brackets, commas, names of members) and the
// leaves between: numbers, words, texts, sets.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace sctrace::device {

struct Token {
  std::string text;
  bool leaf = false;
};

std::vector<Token> tokens_of(std::string_view text);

// Do both say the same, however it is written? 0x10 and 16, "a" and "\141", A|B and B|A do.
bool same_leaf(std::string_view a, std::string_view b);

// The name of the member or, for messages, the argument that a token is in.
std::string member_at(const std::vector<Token>& tokens, size_t at);

}  // namespace sctrace::device
