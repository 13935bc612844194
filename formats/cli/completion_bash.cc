// The completion for bash. It works with and without the package bash-completion.
#include <fmt/format.h>

#include "formats/cli/completion.h"
#include "formats/cli/pages.h"

namespace sctrace::cli {

namespace {

// Answers are lines, for a folder may have blanks in its name.
constexpr const char body[] = R"~(
_sctrace_lines() {
  local IFS=$'\n'
  COMPREPLY=($("$@"))
}

# Lists have commas; what stands before the last one stays.
_sctrace_calls() {
  local before=
  [[ $1 == *,* ]] && before=${1%,*},
  compopt -o nospace 2>/dev/null
  COMPREPLY=($(compgen -P "$before" -W "$_sctrace_call_names" -- "${1##*,}"))
}

_sctrace_value() {  # KIND CURRENT
  case $1 in
    folder) compopt -o filenames 2>/dev/null; _sctrace_lines compgen -d -- "$2" ;;
    file) compopt -o filenames 2>/dev/null; _sctrace_lines compgen -f -- "$2" ;;
    command) _sctrace_lines compgen -c -- "$2" ;;
    calls) _sctrace_calls "$2" ;;
    expression) compopt -o nospace 2>/dev/null; COMPREPLY=($(compgen -W 'trace=' -- "$2")) ;;
    process)
      local running=$("${COMP_WORDS[0]}" ps 2>/dev/null | awk 'NR > 1 { print $1, $2 }')
      compopt -o filenames 2>/dev/null
      _sctrace_lines compgen -d -- "$2"
      COMPREPLY+=($(compgen -W "$running" -- "$2")) ;;
  esac
}

# Where the words are that are no options and no option's values, and what is behind a --.
_sctrace_arguments() {  # OPTIONS-WITH-VALUE
  local n word
  for ((n = 2; n < COMP_CWORD; ++n)); do
    word=${COMP_WORDS[n]}
    if [[ $word == -- ]]; then
      echo $((n + 1))
    elif [[ "$1 " == *" $word "* ]]; then
      [[ ${COMP_WORDS[n+1]} == = ]] && ((++n))
      ((++n))
    elif [[ $word != -* && $word != = && ${COMP_WORDS[n-1]} != = ]]; then
      echo $n
    fi
  done
}

_sctrace_command() {  # AT
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)); then
    _sctrace_lines compgen -c -- "${COMP_WORDS[COMP_CWORD]}"
  else
    _sctrace_value file "${COMP_WORDS[COMP_CWORD]}"
  fi
}

_sctrace() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
  local options= arguments=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "$_sctrace_verbs" -- "$cur"))
    return
  fi
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
)~";

std::string answer(const OptionShown& one) {
  const Takes kind = takes(one);
  if (kind == Takes::words)
    return fmt::format("COMPREPLY=($(compgen -W {} -- \"$cur\"))", in_quotes(one.words));
  return kind == Takes::anything ? ":" : fmt::format("_sctrace_value {} \"$cur\"", name_of(kind));
}

// What an option's value may be.
std::string of_option(const OptionShown& one) {
  if (one.names.front() == "-e")  // for bash, `-e trace=open` is four words
    return "        trace | t) _sctrace_value calls \"$cur\"; return ;;\n"
           "        -e) _sctrace_value expression \"$cur\"; return ;;\n";
  std::string names;
  for (const std::string& name : one.names) names += (names.empty() ? "" : " | ") + name;
  return fmt::format("        {}) {}; return ;;\n", names, answer(one));
}

// And an argument, by how many come before it.
std::string of_arguments(const VerbShown& shown) {
  std::string text;
  size_t n = 0;
  for (const OptionShown& one : shown.shown)
    if (one.argument)
      text += fmt::format("        {}) {}; return ;;\n", one.repeated ? "*" : std::to_string(n++),
                          answer(one));
  if (shown.command && n == 0) text = "        *) _sctrace_value command \"$cur\"; return ;;\n";
  return text.empty()
             ? text
             : "      [[ $cur == -* ]] || case ${#arguments[@]} in\n" + text + "      esac\n";
}

// One branch of `case $verb`: sets options, and answers for values and arguments.
std::string branch(const Verb& verb) {
  const VerbShown shown = shown_of(verb);
  std::string options, values;
  for (const OptionShown& one : shown.shown) {
    if (one.argument) continue;
    for (const std::string& name : one.names) options += (options.empty() ? "" : " ") + name;
    if (!one.value.empty()) values += of_option(one);
  }
  std::string text =
      fmt::format("    {})\n      options={}\n      arguments=($(_sctrace_arguments {}))\n",
                  verb.name, in_quotes(options), in_quotes(names_with_value(shown)));
  if (shown.command)
    text += "      ((${#arguments[@]})) && { _sctrace_command \"${arguments[0]}\"; return; }\n";
  if (!values.empty()) text += "      case $prev in\n" + values + "      esac\n";
  return text + of_arguments(shown) + "      ;;\n";
}

}  // namespace

std::string completion_for_bash(std::span<const Verb> verbs) {
  std::string names;
  for (const Verb& verb : verbs) names += std::string(names.empty() ? "" : " ") + verb.name;
  std::string text = "# bash completion for sctrace; made by `sctrace --completion bash`\n";
  text += "_sctrace_verbs='" + names + " --help --version'\n";
  text += "_sctrace_call_names='" + names_of_calls() + "'\n" + body + "  case $verb in\n";
  for (const Verb& verb : verbs) text += branch(verb);
  return text +
         "  esac\n  COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n}\n"
         "complete -F _sctrace sctrace\n";
}

}  // namespace sctrace::cli
