#include "formats/cli/occasion.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "formats/filter.h"
#include "formats/read/decode.h"

namespace sctrace::cli {

namespace {

std::string_view without_blanks(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// `text` behind `word`, where something other than more of a word follows.
bool takes(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  const std::string_view rest = without_blanks(text.substr(word.size()));
  if (rest.empty() || !std::strchr("=!<>", rest.front())) return false;
  return text = rest, true;
}

bool take_comparison(std::string_view& text, wire::Compare& compare) {
  using wire::Compare;
  static constexpr struct {
    std::string_view text;
    Compare compare;
  } all[] = {{"==", Compare::equal},    {"!=", Compare::unequal}, {"<=", Compare::at_most},
             {">=", Compare::at_least}, {"<", Compare::less},     {">", Compare::more},
             {"=", Compare::equal}};
  for (const auto& one : all) {
    if (!text.starts_with(one.text)) continue;
    compare = one.compare;
    text = without_blanks(text.substr(one.text.size()));
    return true;
  }
  return false;
}

bool is_number(std::string_view text, int64_t most, int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0 && number <= most;
}

// 0: there is no such signal.
uint32_t signal_named(std::string_view name) {
  constexpr int64_t last = 64;
  int64_t number;
  if (is_number(name, last, number)) return static_cast<uint32_t>(number);
  const std::string whole = (name.starts_with("SIG") ? "" : "SIG") + std::string(name);
  for (uint32_t n = 1; n <= last; ++n)
    if (signal_name(n) == whole) return n;
  return 0;
}

uint64_t signals_named(std::string_view text) {
  uint64_t signals = 0;
  std::istringstream names{std::string(text)};
  for (std::string name; std::getline(names, name, ',');) {
    const uint32_t number = signal_named(without_blanks(name));
    if (!number) throw std::invalid_argument(fmt::format("signal={}: no such signal", name));
    signals |= uint64_t{1} << (number - 1);
  }
  return signals;
}

}  // namespace

std::string signal_name(uint32_t number) {
  const std::string name = read::signal_value(number).text;
  return name.empty() ? fmt::format("signal {}", number) : name;
}

Occasion::Occasion(const std::string& text) {
  std::string_view rest = without_blanks(text);
  if (takes(rest, "exit")) {
    constexpr int64_t most = 255;
    kind_ = Kind::exit;
    if (!take_comparison(rest, compare_) || !is_number(rest, most, value_))
      throw std::invalid_argument(fmt::format("`{}`: expected exit!=0 and the like", text));
  } else if (takes(rest, "signal")) {
    kind_ = Kind::signal;
    if (take_comparison(rest, compare_) && compare_ == wire::Compare::equal)
      signals_ = signals_named(rest);
    if (!signals_)
      throw std::invalid_argument(fmt::format("`{}`: expected signal=NAME,... or numbers", text));
  } else {
    call_ = filter_of(text);
  }
}

bool Occasion::is_call(const read::Call& call, const std::vector<std::string>& paths) const {
  return kind_ == Kind::call && passes(call_, call, paths);
}

bool Occasion::is_exit(uint32_t status) const {
  return kind_ == Kind::exit && wire::filter::holds(int64_t{status}, compare_, value_);
}

bool Occasion::is_signal(uint32_t number) const {
  return number && number <= 64 && signals_ >> (number - 1) & 1;
}

}  // namespace sctrace::cli
