// `sctrace summary`: strace -c over a trace, and how slow the slow calls were.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "formats/cli/verbs.h"
#include "formats/counts.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

int verb_summary(int argc, char** argv) {
  CLI::App app(
      "Counts calls, errors and time by system call. Calls that did not come back are not "
      "counted.");
  std::string name;
  bool json = false, plain = false;
  SortKey key = SortKey::time;
  const std::map<std::string, SortKey> keys{{"time", SortKey::time},     {"calls", SortKey::calls},
                                            {"errors", SortKey::errors}, {"name", SortKey::name},
                                            {"max", SortKey::max},       {"none", SortKey::none}};
  app.add_option("TRACE", name, "trace directory (default: the newest sctrace-* here)");
  app.add_flag("-c", plain, "the columns of strace -c, without latencies");
  app.add_option("-S,--sort", key, "sort by time, calls, errors, name, max or none")
      ->transform(CLI::CheckedTransformer(keys).description(""))
      ->type_name("KEY");
  app.add_flag(
      "--json", json,
      "one JSON object; `syscalls` lists name, calls, errors, ns_total, ns_p50, ns_p99, ns_max …");
  if (const auto status = parse(app, argc, argv)) return *status;
  const read::Trace trace(trace_named(name));
  read::Timeline timeline(trace);
  Counts counts;
  for (read::Item item; timeline.next(item);) counts.add(item);
  const read::Losses losses = timeline.losses();
  fmt::print("{}",
             json ? counts_json(counts.rows(), losses) : counts_table(counts.rows(), key, !plain));
  say_losses(losses);
  return 0;
}

}  // namespace sctrace::cli
