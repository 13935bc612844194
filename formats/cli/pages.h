// What is made of the table of verbs at build time, and on demand: manual pages (`sctrace --man
// [PAGE]`) and completions (`sctrace --completion SHELL`). Each is a text, as a file holds it.
#pragma once
#include <span>
#include <string>

#include "formats/cli/options.h"

namespace sctrace::cli {

inline constexpr const char about[] =
    "records every system call of a program from within, and reads the records";

std::string man_of_command(std::span<const Verb> verbs);  // sctrace(1)
std::string man_of_verb(const Verb& verb);                // sctrace-record(1) …
std::string man_of_library();                             // libsctrace.so(7)

std::string completion_for_bash(std::span<const Verb> verbs);
std::string completion_for_zsh(std::span<const Verb> verbs);
std::string completion_for_fish(std::span<const Verb> verbs);

// Everything below `folder`, as CMakeLists.txt installs it.
void write_pages(std::span<const Verb> verbs, const std::string& folder);
// What `--man NAME` and `--completion NAME` mean; empty: there is none.
std::string man_named(std::span<const Verb> verbs, std::string_view name);
std::string completion_named(std::span<const Verb> verbs, std::string_view shell);

}  // namespace sctrace::cli
