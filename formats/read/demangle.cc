#include "formats/read/demangle.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

namespace sctrace::read {

namespace {

constexpr size_t longest = 4096;  // a demangler may take time that grows faster than the name

std::string as_cxx(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 && text ? std::string(text.get()) : name;
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Rust's older names are C++ names whose last part is h and 16 digits.
size_t hash_of(std::string_view name) {
  constexpr size_t bytes = 3 + 16;  // "::h"
  if (name.size() <= bytes) return std::string_view::npos;
  const size_t at = name.size() - bytes;
  return name.substr(at, 3) == "::h" && is_hex(name.substr(at + 3)) ? at : std::string_view::npos;
}

// What may not stand in such a name is spelt out: $LT$ is <, $u20$ a blank, .. is ::.
std::string without_escapes(std::string_view name) {
  constexpr std::pair<std::string_view, char> spelt[] = {
      {"SP", '@'},  {"BP", '*'},  {"RF", '&'},  {"LT", '<'},   {"GT", '>'},  {"LP", '('},
      {"RP", ')'},  {"C", ','},   {"u20", ' '}, {"u27", '\''}, {"u5b", '['}, {"u5d", ']'},
      {"u7b", '{'}, {"u7d", '}'}, {"u7e", '~'}, {"u2b", '+'},  {"u22", '"'}, {"u3b", ';'}};
  std::string all;
  const auto begins_part = [&] { return all.empty() || all.ends_with(':'); };
  while (!name.empty()) {
    if (begins_part() && name.starts_with("_$")) name.remove_prefix(1);
    if (name.starts_with("..")) {
      all += "::";
      name.remove_prefix(2);
      continue;
    }
    const size_t end = name.front() == '$' ? name.find('$', 1) : std::string_view::npos;
    bool known = false;
    if (end != std::string_view::npos)
      for (const auto& [word, letter] : spelt)
        if (name.substr(1, end - 1) == word) all += letter, known = true;
    if (!known) all += name.front();
    name.remove_prefix(known ? end + 1 : 1);
  }
  return all;
}

}  // namespace

std::string demangled(const std::string& name) {
  if (name.size() > longest) return name;
  if (name.starts_with("_R")) return demangled_rust(name);
  if (!name.starts_with("_Z")) return name;
  // What LLVM adds to names that it makes known to other parts of a program says nothing to people.
  const std::string text = as_cxx(name.substr(0, name.find(".llvm.")));
  const size_t hash = hash_of(text);
  return hash == std::string::npos ? text : without_escapes(std::string_view(text).substr(0, hash));
}

}  // namespace sctrace::read
