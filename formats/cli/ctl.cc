// `sctrace ctl`: on a running program, from outside, by the files that it shares: it is not asked.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "formats/cli/options.h"
#include "formats/cli/processes.h"
#include "formats/cli/trigger.h"
#include "formats/cli/verbs.h"
#include "formats/cli/watch.h"
#include "formats/filter.h"
#include "formats/read/snapshot.h"

namespace sctrace::cli {

namespace {

struct Wish {
  std::string subject, action, output, when;
  uint64_t keep = 0;
};

std::string default_name(const std::string& trace) {
  const std::string base = std::filesystem::path(trace).filename().string();
  std::error_code error;
  for (int n = 1;; ++n)
    if (const std::string name = fmt::format("{}-snapshot-{}", base, n);
        !std::filesystem::exists(name, error))
      return name;
}

int take_now(const Wish& wish, const Meant& meant) {
  const std::string to = wish.output.empty() ? default_name(meant.trace) : wish.output;
  const auto before = std::chrono::steady_clock::now();
  const read::Snapshot done = read::snapshot(meant.trace, to);
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - before;
  fmt::print(stderr, "sctrace: snapshot in {}: {} rings, {} bytes, {:.1f} ms\n", to, done.rings,
             done.bytes, spent.count());
  return 0;
}

int take_when(const Wish& wish, const Meant& meant, const wire::Expression& when) {
  using namespace std::chrono_literals;
  const std::string prefix = wish.output.empty() ? default_name(meant.trace) : wish.output;
  Watch watch(meant.trace);
  Trigger trigger(meant.trace, when, prefix, wish.keep);
  catch_interrupts();
  for (bool running = true; running && !interrupted(); std::this_thread::sleep_for(10ms))
    trigger.look(running = watch.running());
  say_losses(trigger.losses());
  return 0;
}

}  // namespace

int verb_ctl(int argc, char** argv) {
  CLI::App app(
      "sctrace ctl WHAT snapshot [-o DIR] [--on EXPR [--keep N]]\n"
      "Copies the trace of a running program as it is now, while that goes on: of a flight "
      "recorder\n"
      "(--mode overwrite) the newest calls of each thread.");
  Wish wish;
  app.add_option("WHAT", wish.subject, "pid or name of a running program, or its trace")
      ->required();
  offer(app.add_option("ACTION", wish.action, "snapshot"), "snapshot")
      ->required()
      ->check(CLI::IsMember({"snapshot"}));
  app.add_option("-o,--output", wish.output, "where to (TRACE-snapshot-N); with --on: DIR-1, DIR-2")
      ->type_name("DIR");
  app.add_option("--on", wish.when,
                 "go on until the program ends, and take one whenever a call is such as this says "
                 "(print --filter); at most one in 10 ms")
      ->type_name("EXPR");
  app.add_option("--keep", wish.keep, "of these, remove all but the newest N (0: none)")
      ->type_name("N");
  if (const auto status = parse(app, argc, argv)) return *status;
  wire::Expression when;
  try {
    if (!wish.when.empty()) when = filter_of(wish.when);
  } catch (const std::invalid_argument& wrong) {
    fmt::print(stderr, "sctrace ctl: {}\n", wrong.what());
    return 2;
  }
  const Meant meant = trace_meant(wish.subject);
  return wish.when.empty() ? take_now(wish, meant) : take_when(wish, meant, when);
}

}  // namespace sctrace::cli
