// Strings and times as JSON writes them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace sctrace {

// Appends `text` with its quotes. UTF-8 stays as it is; a byte that is none becomes \xNN, readable
// though not told from the same four characters: names of files need not be UTF-8, JSON must be.
void put_json(std::string& to, std::string_view text);
std::string json_text(std::string_view text);

void put_decimal(std::string& to, uint64_t number);
void put_decimal(std::string& to, int64_t number);
// Nanoseconds as microseconds, exactly: 12345 → 12.345.
void put_microseconds(std::string& to, uint64_t ns);

}  // namespace sctrace
