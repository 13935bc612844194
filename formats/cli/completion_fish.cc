// The completion for fish: a line for each option.
#include <fmt/format.h>

#include "formats/cli/completion.h"
#include "formats/cli/pages.h"

namespace sctrace::cli {

namespace {

constexpr const char head[] = R"~(# fish completion for sctrace; made by `sctrace --completion fish`

function __sctrace_folders
  __fish_complete_directories (commandline -ct)
end

# Lists have commas; what stands before the last one stays.
function __sctrace_calls
  set -l before (string replace -r '[^,=]*$' '' -- (commandline -ct))
  printf '%s\n' $before$__sctrace_call_names
end

function __sctrace_processes
  sctrace ps 2>/dev/null | string replace -rf '^ *(\d+) +(\S+).*' '$1'\t'$2'
  __sctrace_folders
end

)~";

// In single quotes fish knows two escapes.
std::string in_fish(std::string text) {
  return "'" + replaced(replaced(std::move(text), "\\", "\\\\"), "'", "\\'") + "'";
}

std::string values(const OptionShown& one) {
  if (one.names.front() == "-e") return " -x -a '(__sctrace_calls)'";
  switch (takes(one)) {
    case Takes::nothing: return "";
    case Takes::anything: return " -x";
    case Takes::words: return " -x -a " + in_fish(one.words);
    case Takes::folder: return " -x -a '(__sctrace_folders)'";
    case Takes::file: return " -r -F";
    case Takes::calls: return " -x -a '(__sctrace_calls)'";
    case Takes::process: return " -x -a '(__sctrace_processes)'";
    case Takes::command: return " -x -a '(__fish_complete_subcommand --fcs-skip=2)'";
  }
  return "";
}

// An argument is offered by itself, not behind an option.
std::string of_argument(std::string values) {
  for (const char* flag : {" -x", " -r"})
    if (values.starts_with(flag)) values.erase(0, 3);
  return values;
}

std::string line(const Verb& verb, const OptionShown& one) {
  std::string text =
      fmt::format("complete -c sctrace -n '__fish_seen_subcommand_from {}'", verb.name);
  if (one.argument) {
    const std::string what = of_argument(values(one));
    return what.empty() ? "" : text + what + "\n";
  }
  for (const std::string& name : one.names)
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  return text + values(one) + " -d " + in_fish(one.brief) + "\n";
}

}  // namespace

std::string completion_for_fish(std::span<const Verb> verbs) {
  std::string text = head;
  text += "set -g __sctrace_call_names " + names_of_calls() + "\n\ncomplete -c sctrace -f\n";
  for (const Verb& verb : verbs)
    text += fmt::format("complete -c sctrace -n __fish_use_subcommand -a {} -d {}\n", verb.name,
                        in_fish(verb.help));
  for (const Verb& verb : verbs) {
    const VerbShown shown = shown_of(verb);
    for (const OptionShown& one : shown.shown) text += line(verb, one);
    if (shown.command)
      text += fmt::format(
          "complete -c sctrace -n '__fish_seen_subcommand_from {}' -a "
          "'(__fish_complete_subcommand --fcs-skip=2{})'\n",
          verb.name, names_with_value(shown));
  }
  return text;
}

}  // namespace sctrace::cli
