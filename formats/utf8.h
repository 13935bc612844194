// What may not be UTF-8 (names of files need not be), for formats whose strings must.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace sctrace {

// Bytes of the UTF-8 character that `text` begins with; 0: it begins with none.
size_t utf8_character(std::string_view text);

// The text, each byte that is no UTF-8 as \xNN.
std::string utf8_of(std::string_view text);
void put_utf8(std::string& to, std::string_view text);  // appended

}  // namespace sctrace
