// Strings as JSON writes them. Bytes that are no ASCII become \u00XX: names of files need not be
// UTF-8.
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace sctrace::cli {

inline std::string json_quoted(std::string_view text) {
  std::string all = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      all += '\\', all += c;
    else if (byte < 0x20 || byte >= 0x7f)
      all += fmt::format("\\u{:04x}", byte);
    else
      all += c;
  }
  return all += '"';
}

}  // namespace sctrace::cli
