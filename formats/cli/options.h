// A verb's options as its help, its manual page and the completions show them: read off the parser,
// so that none of the three can say what the verb does not know.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace sctrace::cli {

struct Verb {
  const char *name, *help;
  int (*run)(int argc, char** argv);
};

struct OptionShown {
  std::vector<std::string> names;  // "-o", "--output"; of an argument "TRACE"
  std::string value;               // DIR; empty: takes none
  std::string brief, more;         // more: for the manual only, what stands behind the first line
  std::string words;               // that its value may be, blanks between; empty: anything
  bool argument = false, required = false, repeated = false;
  bool manual = false;  // of its group: help names it only
};

struct VerbShown {
  std::string usage;               // "sctrace print [OPTION...] [TRACE]"
  std::vector<std::string> about;  // paragraphs
  std::string footer;              // as it is
  std::vector<OptionShown> shown;  // arguments first
  bool command = false;            // ends with CMD [ARG...]
};

VerbShown shown_of(const CLI::App& app);

// The values that an option has, for completion. Returns the option.
CLI::Option* offer(CLI::Option* option, const std::string& words);
// The group of options that the help only names.
inline constexpr const char in_manual[] = "in the manual";

// `look` is given the parser that this verb sets up; the verb does nothing else.
void look_at(const Verb& verb, const std::function<void(const CLI::App&)>& look);
VerbShown shown_of(const Verb& verb);

// What --help prints: 80 columns.
std::string help_of(const VerbShown& verb);
// `text` in lines of `width` characters, each indented; the first one goes behind what is there.
std::string wrapped(const std::string& text, size_t width, size_t indent);

}  // namespace sctrace::cli
