// `sctrace print`: a trace in strace's notation, ftrace's or JSON. Options are strace's own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>

#include "formats/cli/print_lines.h"
#include "formats/cli/verbs.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

int verb_print(int argc, char** argv) {
  CLI::App app("Shows a trace as strace would have shown the program, or in another notation.");
  Wish wish;
  add_options(app, wish);
  if (const auto status = parse(app, argc, argv)) return *status;
  // First, for -e trace= names calls by the trace's own table; but what is wrong with it comes
  // last.
  std::unique_ptr<const read::Trace> opened;
  std::exception_ptr refused;
  try {
    opened = std::make_unique<const read::Trace>(trace_named(wish.trace));
  } catch (...) {
    refused = std::current_exception();
  }
  try {
    settle(wish);
  } catch (const std::invalid_argument& wrong) {
    fmt::print(stderr, "sctrace print: {}\n", wrong.what());
    return 2;
  }
  for (const std::string& name : wish.pointless)
    fmt::print(stderr, "sctrace print: {} steers a running program; a trace is made already\n",
               name);
  if (refused) std::rethrow_exception(refused);
  const read::Trace& trace = *opened;
  Outputs outputs(wish);
  read::Timeline timeline(trace);
  Lines lines(wish, trace, outputs);
  for (read::Item item; timeline.next(item);) lines.add(item);
  lines.end(timeline.losses());
  const bool failed = !outputs.close();
  say_losses(timeline.losses());
  return failed ? 1 : 0;
}

}  // namespace sctrace::cli
