// Manual pages, from the words of --help and of the table of settings.
#include <fmt/format.h>

#include "formats/cli/pages.h"
#include "formats/cli/settings.h"

namespace sctrace::cli {

namespace {

// Text of ours in the language of man(7): `code` is bold, and nothing else means anything there.
std::string roff(const std::string& text) {
  std::string all;
  bool code = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (at == 0 && (c == '.' || c == '\'')) all += "\\&";
    if (c == '`')
      all += (code = !code) ? "\\fB" : "\\fR";
    else if (c == '-')
      all += "\\-";
    else if (c == '\\')
      all += "\\e";
    else if (c == '\n')
      all += "\n.br\n";
    else
      all += c;
  }
  return code ? all + "\\fR" : all;
}

std::string paragraph(const std::string& text) { return text.empty() ? text : roff(text) + "\n"; }

std::string next_line(const std::string& text) {
  return text.empty() ? text : ".br\n" + paragraph(text);
}

std::string title(const std::string& name, int section, const std::string& of) {
  std::string shouted;
  for (const char c : name) shouted += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return fmt::format(".TH {} {} \"{}\" \"sctrace {}\" \"{}\"\n", roff(shouted), section,
                     SCTRACE_DATE, SCTRACE_VERSION, of);
}

std::string name_and(const std::string& name, const std::string& what) {
  return fmt::format(".SH NAME\n{} \\- {}\n", roff(name), roff(what));
}

std::string refer(std::initializer_list<std::pair<const char*, int>> pages) {
  std::string all = ".SH SEE ALSO\n";
  size_t n = 0;
  for (const auto& [name, section] : pages)
    all += fmt::format(".BR {} ({}){}\n", roff(name), section, ++n < pages.size() ? "," : "");
  return all;
}

std::string tagged(const OptionShown& one) {
  std::string tag;
  for (const std::string& name : one.names) {
    if (!tag.empty()) tag += ", ";
    tag += (one.argument ? "\\fI" : "\\fB") + roff(name) + "\\fR";
  }
  if (!one.value.empty()) tag += " \\fI" + roff(one.value) + "\\fR";
  return fmt::format(".TP\n{}\n{}{}", tag, paragraph(one.brief), next_line(one.more));
}

constexpr const char statuses[] =
    ".SH EXIT STATUS\n0 done, 1 the trace or the work failed, 2 wrong usage.\n";

// A list keeps its lines.
std::string footer(const std::string& text) {
  if (text.empty()) return text;
  const bool list = text.find("\n  ") != std::string::npos;
  if (!list) return ".PP\n" + paragraph(text);
  std::string lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines += roff(text.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return ".PP\n.nf\n" + lines + ".fi\n";
}

}  // namespace

std::string man_of_verb(const Verb& verb) {
  const VerbShown shown = shown_of(verb);
  const std::string name = std::string("sctrace-") + verb.name;
  std::string text = title(name, 1, "User Commands") + name_and(name, verb.help) +
                     ".SH SYNOPSIS\n.nf\n\\fB" + roff(shown.usage) + "\\fR\n.fi\n" +
                     ".SH DESCRIPTION\n";
  for (const std::string& line : shown.about) text += paragraph(line);
  if (shown.about.empty()) text += roff(verb.help) + ".\n";
  text += ".SH OPTIONS\n";
  for (const OptionShown& one : shown.shown) text += tagged(one);
  text += footer(shown.footer) + statuses;
  if (std::string_view(verb.name) == "record")
    text +=
        "The status of the program is passed on; if a signal killed it, sctrace dies by the same "
        "one.\n";
  return text + refer({{"sctrace", 1}, {"libsctrace.so", 7}, {"sctrace-trace", 5}});
}

std::string man_of_command(std::span<const Verb> verbs) {
  std::string text = title("sctrace", 1, "User Commands") + name_and("sctrace", about) +
                     ".SH SYNOPSIS\n.B sctrace\n.I VERB\n[\\fIOPTION\\fR...]\n.PP\n"
                     ".B LD_PRELOAD=libsctrace.so\n.I PROGRAM\n.SH DESCRIPTION\n";
  text += paragraph(
      "The library, loaded into a program, records each of its system calls into a trace: a "
      "directory. The command starts programs with it, and shows, counts, compares and exports "
      "what it recorded. Each verb has a manual page of its own. Without a named trace the newest "
      "directory sctrace-* here is read.");
  text += ".SH VERBS\n";
  for (const Verb& verb : verbs)
    text += fmt::format(".TP\n.BR sctrace\\-{} (1)\n{}\n", verb.name, roff(verb.help));
  text += statuses + std::string(".SH ENVIRONMENT\n") +
          paragraph("The settings of the library are in libsctrace.so(7). The command itself:") +
          ".TP\n.B SCTRACE_LIBRARY\n" +
          paragraph("the library that record loads, where it isn't the one installed with it");
  return text + refer({{"libsctrace.so", 7},
                       {"sctrace-trace", 5},
                       {"sctrace-engine", 3},
                       {"sctrace-reader", 3},
                       {"strace", 1},
                       {"syscalls", 2},
                       {"ld.so", 8}});
}

std::string man_of_library() {
  std::string text = title("libsctrace.so", 7, "Miscellaneous Information") +
                     name_and("libsctrace.so",
                              "the library that records system calls, and its "
                              "settings") +
                     ".SH SYNOPSIS\n.B LD_PRELOAD=libsctrace.so\n[\\fISCTRACE_NAME\\fR="
                     "\\fIVALUE\\fR...]\n.I PROGRAM\n.SH DESCRIPTION\n";
  text += paragraph(
      "In a program that the loader put it into, it records every system call: who called, with "
      "which arguments, the bytes behind every pointer, the result, and how long it took. It says "
      "nothing unless something is wrong, and the program behaves as it does without.");
  text += ".PP\n" + paragraph(
                        "Static programs and those that gain rights ignore LD_PRELOAD; "
                        "sctrace-doctor(1) says so beforehand.");
  text +=
      ".SH ENVIRONMENT\n" + paragraph(
                                "One variable a setting, read once, when the program begins. Of "
                                "an unknown name or a bad value one line tells on the standard "
                                "error output; then the default is used. Sizes take K, M and G, "
                                "times ns, us, ms and s.");
  for (const Setting& one : settings()) {
    text += fmt::format(".TP\n\\fB{}\\fR ({})\n{}{}", roff(one.variable), roff(one.standard),
                        paragraph(one.help), next_line(one.more));
    if (*one.option) text += next_line(std::string("Option of sctrace-record(1): ") + one.option);
  }
  return text + refer({{"sctrace", 1},
                       {"sctrace-record", 1},
                       {"sctrace-trace", 5},
                       {"sctrace-engine", 3},
                       {"ld.so", 8}});
}

}  // namespace sctrace::cli
