#include "formats/cli/completion.h"

#include "formats/read/table.h"

namespace sctrace::cli {

Takes takes(const OptionShown& one) {
  const std::string& what = one.argument ? one.names.front() : one.value;
  if (what.empty()) return Takes::nothing;
  if (!one.words.empty()) return Takes::words;
  for (const char* folder : {"DIR", "TRACE", "A", "B"})
    if (what == folder) return Takes::folder;
  for (const char* file : {"FILE", "FILE.html", "PATH", "SOCKET", "PREFIX"})
    if (what == file) return Takes::file;
  if (what == "SET" || what == "NAME") return Takes::calls;
  if (what == "CMD") return Takes::command;
  if (what == "WHAT" && one.argument) return Takes::process;
  return what.starts_with("LIB") ? Takes::file : Takes::anything;
}

std::string name_of(Takes kind) {
  switch (kind) {
    case Takes::nothing:
    case Takes::anything:
    case Takes::words: return "";
    case Takes::folder: return "folder";
    case Takes::file: return "file";
    case Takes::calls: return "calls";
    case Takes::process: return "process";
    case Takes::command: return "command";
  }
  return "";
}

std::string names_with_value(const VerbShown& verb) {
  std::string names;
  for (const OptionShown& one : verb.shown)
    if (!one.argument && !one.value.empty())
      for (const std::string& name : one.names) names += " " + name;
  return names;
}

std::string names_of_calls() {
  std::string names =
      "all none %file %desc %process %network %memory %signal %ipc %creds %clock %pure %stat "
      "%lstat %fstat %statfs %fstatfs %%stat %%statfs";
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr)
    if (const char* name = read::lookup(nr).name) names += std::string(" ") + name;
  return names;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

std::string in_quotes(std::string_view text) {
  return "'" + replaced(std::string(text), "'", "'\\''") + "'";
}

}  // namespace sctrace::cli
