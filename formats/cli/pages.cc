#include "formats/cli/pages.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace sctrace::cli {

namespace {

void write(const std::string& file, const std::string& text) {
  std::ofstream to(file, std::ios::binary);
  to << text;
  if (!to.flush()) throw std::runtime_error(file + ": cannot be written");
}

}  // namespace

std::string man_named(std::span<const Verb> verbs, std::string_view name) {
  if (name.empty()) return man_of_command(verbs);
  if (name == "libsctrace.so") return man_of_library();
  for (const Verb& verb : verbs)
    if (name == verb.name) return man_of_verb(verb);
  return {};
}

std::string completion_named(std::span<const Verb> verbs, std::string_view shell) {
  if (shell == "bash") return completion_for_bash(verbs);
  if (shell == "zsh") return completion_for_zsh(verbs);
  if (shell == "fish") return completion_for_fish(verbs);
  return {};
}

void write_pages(std::span<const Verb> verbs, const std::string& folder) {
  for (const char* one : {"man1", "man7", "bash", "zsh", "fish"})
    std::filesystem::create_directories(folder + "/" + one);
  write(folder + "/man1/sctrace.1", man_of_command(verbs));
  for (const Verb& verb : verbs)
    write(folder + "/man1/sctrace-" + verb.name + ".1", man_of_verb(verb));
  write(folder + "/man7/libsctrace.so.7", man_of_library());
  write(folder + "/bash/sctrace", completion_for_bash(verbs));
  write(folder + "/zsh/_sctrace", completion_for_zsh(verbs));
  write(folder + "/fish/sctrace.fish", completion_for_fish(verbs));
}

}  // namespace sctrace::cli
