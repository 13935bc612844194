// hex("0f 05"): bytes written as people write them, for tables of code in tests.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace sctrace::test {
std::vector<uint8_t> hex(
    std::string_view text);  // blanks are ignored; anything else not a digit throws
}
