#include "formats/cli/options.h"

#include <CLI/CLI.hpp>
#include <map>

namespace sctrace::cli {

namespace {

// By option, of the verb that is looked at.
std::map<const CLI::Option*, std::string>& offers() {
  static std::map<const CLI::Option*, std::string> all;
  return all;
}

std::vector<std::string> names_of(const CLI::Option& option) {
  if (option.get_positional()) return {option.get_name(true)};
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

OptionShown shown_of(const CLI::Option& option) {
  OptionShown one;
  one.names = names_of(option);
  one.argument = option.get_positional();
  one.required = option.get_required();
  one.repeated = option.get_items_expected_max() > 1;
  one.manual = option.get_group() == in_manual;
  if (option.get_type_size() && !one.argument) {
    one.value = option.get_type_name();
    for (const char* checked : {":{", ":INT", ":FLOAT"})  // the parser's own words
      one.value.erase(std::min(one.value.find(checked), one.value.size()));
  }
  const std::string& about = option.get_description();
  const size_t end = std::min(about.find('\n'), about.size());
  one.brief = about.substr(0, end);
  one.more = about.substr(std::min(end + 1, about.size()));
  if (const auto found = offers().find(&option); found != offers().end()) one.words = found->second;
  return one;
}

// Its first line may be the usage, where the parser doesn't know all of it. A paragraph ends where
// a sentence ends at the end of a line.
void describe(const std::string& text, VerbShown& verb) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("sctrace "))
      verb.usage = std::move(line);
    else if (verb.about.empty() || verb.about.back().ends_with('.'))
      verb.about.push_back(std::move(line));
    else
      verb.about.back() += " " + line;
  }
}

std::string usage_of(const std::string& name, const std::vector<OptionShown>& shown) {
  std::string text = name + " [OPTION...]";
  for (const OptionShown& one : shown)
    if (!one.argument && one.required) text += " " + one.names.front() + " " + one.value;
  for (const OptionShown& one : shown) {
    if (!one.argument) continue;
    const std::string word = one.names.front() + (one.repeated ? "..." : "");
    text += one.required ? " " + word : " [" + word + "]";
  }
  return text;
}

}  // namespace

CLI::Option* offer(CLI::Option* option, const std::string& words) {
  offers()[option] = words;
  return option;
}

VerbShown shown_of(const CLI::App& app) {
  VerbShown verb;
  for (const bool arguments : {true, false})
    for (const CLI::Option* option : app.get_options())
      if (option->get_positional() == arguments && !option->get_group().empty())
        verb.shown.push_back(shown_of(*option));
  describe(app.get_description(), verb);
  if (verb.usage.empty()) verb.usage = usage_of(app.get_name(), verb.shown);
  verb.footer = app.get_footer();
  verb.command = verb.usage.find("CMD [ARG...]") != std::string::npos;
  return verb;
}

VerbShown shown_of(const Verb& verb) {
  offers().clear();  // the next verb's options may lie where the last one's did
  VerbShown shown;
  look_at(verb, [&](const CLI::App& app) { shown = shown_of(app); });
  return shown;
}

}  // namespace sctrace::cli
