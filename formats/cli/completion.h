// What the completions of all shells share: which kind of thing an option or an argument takes.
#pragma once
#include <string>
#include <string_view>

#include "formats/cli/options.h"

namespace sctrace::cli {

enum class Takes : uint8_t { nothing, anything, words, folder, file, calls, process, command };
Takes takes(const OptionShown& one);
std::string name_of(Takes kind);
std::string names_with_value(const VerbShown& verb);  // " -o --output": options that take one

std::string names_of_calls();  // and of their classes, blanks between
// In single quotes, as all three shells understand them.
std::string in_quotes(std::string_view text);
std::string replaced(std::string text, std::string_view what, std::string_view by);

}  // namespace sctrace::cli
