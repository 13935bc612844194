// `sctrace report`: one page of HTML that works anywhere, without asking anybody.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "formats/cli/report_page.h"
#include "formats/cli/verbs.h"
#include "formats/output.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

int verb_report(int argc, char** argv) {
  CLI::App app(
      "Writes one page of HTML on a trace: threads on a timeline, latencies, where the time went, "
      "tables, losses. It works offline and asks nobody.");
  std::string name, output;
  app.add_option("TRACE", name, "trace directory (default: the newest sctrace-* here)");
  app.add_option("-o,--output", output, "the file; - is stdout")
      ->type_name("FILE.html")
      ->required();
  if (const auto status = parse(app, argc, argv)) return *status;
  const read::Trace trace(trace_named(name));
  std::signal(SIGPIPE, SIG_IGN);
  try {
    Output to(output, Target::stream);
    const read::Losses losses = write_report(trace, to);
    to.finish();
    say_losses(losses);
  } catch (const OutputClosed&) {  // who reads it has what it wanted, as with export
  }
  return 0;
}

}  // namespace sctrace::cli
