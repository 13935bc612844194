// `sctrace VERB …`: the table of verbs, and where every error ends.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "formats/cli/pages.h"
#include "formats/cli/verbs.h"
#include "formats/read/trace.h"

namespace sctrace::cli {
namespace {

constexpr Verb verbs[] = {
    {"record", "run a program and record its system calls", verb_record},
    {"print", "show a trace as strace would", verb_print},
    {"summary", "count calls, errors and time by system call", verb_summary},
    {"export", "write a trace in the form of another tool", verb_export},
    {"report", "one page on a trace, for a browser", verb_report},
    {"serve", "the same page live, for a browser, and numbers for Prometheus", verb_serve},
    {"diff", "what differs between two traces", verb_diff},
    {"top", "watch what a program calls just now", verb_top},
    {"ps", "list programs that are being recorded", verb_ps},
    {"ctl", "turn recording on and off, change it, copy it, while a program runs", verb_ctl},
    {"info", "what a trace holds, and what it does not", verb_info},
    {"check", "verify a trace; make a torn one whole", verb_check},
    {"syscalls", "the table of system calls", verb_syscalls},
    {"control", "let controllers stop, alter and answer a program's calls", verb_control},
    {"doctor", "say whether a program can be traced, and why not", verb_doctor},
};

int usage(std::FILE* to, int status) {
  fmt::print(to, "sctrace {} {}\n\nusage: sctrace VERB [OPTION...]\n\n", SCTRACE_VERSION, about);
  for (const Verb& verb : verbs) fmt::print(to, "  {:<10} {}\n", verb.name, verb.help);
  fmt::print(to,
             "\n`sctrace VERB --help` tells its options. Without the command:\n"
             "LD_PRELOAD=libsctrace.so PROGRAM.\n"
             "Exit status: 0 done, 1 the trace or the work failed, 2 wrong usage.\n");
  return status;
}

// For whoever installs: the manual, completions. Nothing: not asked for.
std::optional<int> pages(int argc, char** argv) {
  const std::string_view wanted = argv[1], name = argc > 2 ? argv[2] : "";
  if (wanted == "--pages" && argc == 3) return write_pages(verbs, argv[2]), 0;
  if (wanted != "--man" && wanted != "--completion") return std::nullopt;
  const std::string text =
      wanted == "--man" ? man_named(verbs, name) : completion_named(verbs, name);
  if (!text.empty()) return fmt::print("{}", text), 0;
  fmt::print(stderr, "sctrace: {} knows no `{}`\n", wanted, name);
  return 2;
}

int run(int argc, char** argv) {
  if (argc < 2) return usage(stderr, 2);
  const std::string_view wanted = argv[1];
  if (wanted == "--help" || wanted == "-h" || wanted == "help") return usage(stdout, 0);
  if (wanted == "--version" || wanted == "-V")
    return fmt::print("sctrace {}\n", SCTRACE_VERSION), 0;
  if (const auto status = pages(argc, argv)) return *status;
  for (const Verb& verb : verbs)
    if (wanted == verb.name) return verb.run(argc - 1, argv + 1);
  fmt::print(stderr, "sctrace: no verb `{}`; `sctrace --help` lists them\n", wanted);
  return 2;
}

// A trace of many processes is many files.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace sctrace::cli

int main(int argc, char** argv) try {
  if (argc > 1 && std::string_view(argv[1]) != "record") sctrace::cli::allow_many_files();
  const int status = sctrace::cli::run(argc, argv);
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    fmt::print(stderr, "sctrace: output cannot be written\n");
    return 1;
  }
  return status;
} catch (const sctrace::read::BadTrace& bad) {
  std::fflush(stdout);
  fmt::print(stderr, "sctrace: {}\n", bad.what());
  return 1;
} catch (const std::exception& error) {
  std::fflush(stdout);
  fmt::print(stderr, "sctrace: {}\n", error.what());
  return 1;
}
