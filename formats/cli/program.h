// What stands behind a command's name, and whether LD_PRELOAD can reach into it.
#pragma once
#include <string>
#include <vector>

namespace sctrace::cli {

// Where PATH finds a command. status 0: found; 127: nowhere; 126: there, but not executable.
struct Found {
  std::string path;
  int status = 0;
};
Found find_command(const std::string& name);

struct Finding {
  bool prevents = false;  // of being traced at all; else only worth knowing
  std::string why;
};

// Looks at the file, and at the interpreter of a script, until something can be said of all.
std::vector<Finding> examine(const std::string& path);

// Our library: SCTRACE_LIBRARY, beside the command, or in ../lib of it. Empty if nowhere.
std::string find_library();

}  // namespace sctrace::cli
