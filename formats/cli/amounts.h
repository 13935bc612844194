// Amounts as people write them: 10us, 1.5s. What is no amount is nothing, never a guess.
#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sctrace::cli {

// A number at the front, which is taken off `text`.
inline std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value != value || value > 1e18 || value < -1e18) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

// How many ns one of this unit is; 0: there is no such unit.
inline double unit_of_time(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us") return 1e3;
  if (unit == "ms") return 1e6;
  if (unit == "s") return 1e9;
  if (unit == "m" || unit == "min") return 60e9;
  if (unit == "h") return 3600e9;
  return 0;
}

// "10us" → 10000. A unit must be there; less than nothing and more than 2^63 ns are no time.
inline std::optional<uint64_t> nanoseconds(std::string_view text) {
  const std::optional<double> number = take_number(text);
  if (!number || *number < 0) return std::nullopt;
  const double ns = *number * unit_of_time(text);
  if (unit_of_time(text) == 0 || ns > 9e18) return std::nullopt;
  return static_cast<uint64_t>(ns + 0.5);
}

// "100M" → 100 << 20. K, M and G, or none; less than one byte is no size.
inline std::optional<uint64_t> bytes(std::string_view text) {
  const std::optional<double> number = take_number(text);
  if (!number || *number < 0 || text.size() > 1) return std::nullopt;
  double unit = text.empty() ? 1 : 0;
  if (text == "K" || text == "k") unit = 1 << 10;
  if (text == "M" || text == "m") unit = 1 << 20;
  if (text == "G" || text == "g") unit = 1 << 30;
  const double bytes = *number * unit;
  if (bytes < 1 || bytes > 1e18) return std::nullopt;
  return static_cast<uint64_t>(bytes);
}

}  // namespace sctrace::cli
