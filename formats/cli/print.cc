// `sctrace print`: a trace in strace's notation, ftrace's or JSON. Options are strace's own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "formats/cli/bar.h"
#include "formats/cli/print_lines.h"
#include "formats/cli/processes.h"
#include "formats/cli/verbs.h"
#include "formats/cli/watch.h"
#include "formats/drain.h"
#include "formats/read/live.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

namespace {

read::Losses print_all(const Wish& wish, const read::Trace& trace, Outputs& outputs) {
  read::Timeline timeline(trace);
  Lines lines(wish, trace, outputs, true);
  Bar bar;  // where lines themselves do not show it
  const bool shows = !wish.output.empty() && bar.is_wanted();
  Way way(trace, shows ? std::function<void(double)>(std::ref(bar)) : nullptr);
  for (read::Item item; timeline.next(item);) {
    lines.add(item);
    way.at(item.when);
  }
  lines.end(timeline.losses());
  return timeline.losses();
}

// The same while it happens. Nothing wakes us, for nothing shall slow the program: we look.
read::Losses print_growing(Wish& wish) {
  using namespace std::chrono_literals;
  const Meant meant = trace_meant(wish.trace);
  wish.pid = meant.pid;
  Watch watch(meant.trace);
  read::LiveTrace live(meant.trace);
  std::optional<DrainingChild> drainer;
  if (needs_reader(live.trace())) drainer.emplace(meant.trace);
  Outputs outputs(wish);
  Lines lines(wish, live.trace(), outputs);
  catch_interrupts();
  bool idle = false;
  while (!interrupted() && watch.running() && !outputs.failed()) {
    std::this_thread::sleep_for(idle ? 50ms : 10ms);
    live.look(true);
    idle = true;
    for (read::Item item; live.next(item); idle = false) lines.add(item);
    lines.flush(true);
    outputs.flush();
  }
  if (!watch.running()) live.finish();
  for (read::Item item; live.next(item);) lines.add(item);
  lines.end(live.losses());
  if (!outputs.close()) throw std::runtime_error("output cannot be written");
  return live.losses();
}

}  // namespace

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
    if (!wish.grows) opened = std::make_unique<const read::Trace>(trace_named(wish.trace));
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
  if (wish.grows) return say_losses(print_growing(wish)), 0;
  Outputs outputs(wish);
  const read::Losses losses = print_all(wish, *opened, outputs);
  const bool failed = !outputs.close();
  say_losses(losses);
  say_counted(*opened);
  return failed ? 1 : 0;
}

}  // namespace sctrace::cli
