// Runs a program as a child with our library in it, and behaves for whoever started us as the
// program would.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sctrace::cli {

struct Launch {
  std::string path;                  // of the program
  std::vector<std::string> command;  // argv
  std::string library;               // put in front of LD_PRELOAD
  std::string output;                // SCTRACE_OUTPUT, %e %p %h %t already replaced but %p
  std::vector<std::pair<std::string, std::string>> settings;  // SCTRACE_*
  // Called once, as soon as it runs, with the trace's directory.
  std::function<void(const std::string&)> started;
  // Called again and again while the program runs, with the trace's directory; returns at once.
  std::function<void(const std::string&)> meanwhile;
};

// The program that the command names, and our library. If there is no such program that has been
// said, and the status is not 0: 127, or 126 where it may not be run. Throws if there is no
// library.
int find_what(Launch& what);

struct Ended {
  uint32_t pid = 0;
  std::string output;   // the trace's directory
  int wait_status = 0;  // as wait() gives it
  int exec_error = 0;   // errno: it could not be started
};

// SIGINT and SIGQUIT are the program's business while it runs, as with strace; SIGTERM and SIGHUP
// are passed on.
Ended launch(const Launch& what);

}  // namespace sctrace::cli
