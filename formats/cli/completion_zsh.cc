// The completion for zsh: a spec of _arguments for each option.
#include <fmt/format.h>

#include "formats/cli/completion.h"
#include "formats/cli/pages.h"

namespace sctrace::cli {

namespace {

constexpr const char head[] = R"~(#compdef sctrace
# zsh completion for sctrace; made by `sctrace --completion zsh`

# Lists have commas; what stands before the last one stays.
_sctrace_calls() {
  local -a calls
  calls=($=_sctrace_call_names)
  compset -P '*,' || compset -P 'trace='
  compadd -qS , -a calls
}

_sctrace_process() {
  local -a running
  running=(${(f)"$(sctrace ps 2>/dev/null | awk 'NR > 1 { print $1; print $2 }')"})
  compadd -a running
  _files -/
}

_sctrace() {
  local context state state_descr line
  local -a verbs
  typeset -A opt_args
  _arguments -C '(- *)'{-h,--help}'[the verbs]' '(- *)'{-V,--version}'[the version]' \
    '1:verb:->verb' '*::argument:->argument'
)~";

// Within a spec a colon ends a part and a bracket an explanation.
std::string in_spec(std::string text) {
  for (const char* one : {"\\", ":", "[", "]"})
    text = replaced(std::move(text), one, std::string("\\") + one);
  return text;
}

std::string action(const OptionShown& one) {
  switch (takes(one)) {
    case Takes::nothing: return "";
    case Takes::anything: return " ";
    case Takes::words: return "(" + one.words + ")";
    case Takes::folder: return "_files -/";
    case Takes::file: return "_files";
    case Takes::calls: return "_sctrace_calls";
    case Takes::process: return "_sctrace_process";
    case Takes::command: return "_command_names -e";
  }
  return "";
}

std::string spec(const OptionShown& one) {
  const std::string what = one.argument ? one.names.front() : one.value;
  std::string value;
  if (!what.empty()) {
    const bool calls = !one.argument && one.names.front() == "-e";
    value = fmt::format(":{}:{}", in_spec(what), calls ? "_sctrace_calls" : action(one));
  }
  if (one.argument) return in_quotes((one.repeated ? "*" : one.required ? "" : ":") + value);
  const std::string about = "[" + in_spec(one.brief) + "]";
  std::string specs;
  for (const std::string& name : one.names) {
    const bool is_long = name.starts_with("--");
    specs += specs.empty() ? "" : " ";
    // -o DIR and -oDIR, --output DIR and --output=DIR
    specs += in_quotes("*" + name + (value.empty() ? "" : is_long ? "=" : "+") + about + value);
  }
  return specs;
}

std::string branch(const Verb& verb) {
  const VerbShown shown = shown_of(verb);
  std::string text = fmt::format("        {})\n          _arguments -s -S", verb.name);
  for (const OptionShown& one : shown.shown) text += " \\\n            " + spec(one);
  // Behind CMD, what that would complete.
  if (shown.command) text += " \\\n            '*::command:_normal'";
  return text + " ;;\n";
}

}  // namespace

std::string completion_for_zsh(std::span<const Verb> verbs) {
  std::string text = head;
  text += "  local _sctrace_call_names=" + in_quotes(names_of_calls()) + "\n";
  text += "  case $state in\n    verb)\n      verbs=(\n";
  for (const Verb& verb : verbs)
    text += "        " + in_quotes(fmt::format("{}:{}", verb.name, verb.help)) + "\n";
  text += "      )\n      _describe verb verbs ;;\n    argument)\n      case $words[1] in\n";
  for (const Verb& verb : verbs) text += branch(verb);
  return text + "      esac ;;\n  esac\n}\n\n_sctrace \"$@\"\n";
}

}  // namespace sctrace::cli
