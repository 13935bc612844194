// `sctrace diff A B`: what got slower, more, new, failing.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "formats/cli/options.h"
#include "formats/cli/verbs.h"
#include "formats/diff.h"
#include "formats/fail_on.h"
#include "formats/feed.h"

namespace sctrace {
extern const Format folded_alike;
}

namespace sctrace::cli {

namespace {

struct Wish {
  std::string a, b, folded;
  std::vector<std::string> conditions;
  Weigh by = Weigh::time;
  bool json = false, all = false;
};

void add_options(CLI::App& app, Wish& w) {
  app.add_option("A", w.a, "trace directory: how it was")->required();
  app.add_option("B", w.b, "trace directory: how it is")->required();
  app.add_flag("--all", w.all, "also what differs by no more than noise, and all names");
  app.add_flag("--json", w.json,
               "one JSON object\n"
               "It has a, b, total, syscalls (each with a, b as in summary, more_than_noise, z, "
               "slower), new_paths, gone_paths, new_peers, gone_peers.");
  app.add_option("--fail-on", w.conditions,
                 "exit with 1 if it holds for a row: [CALL:]COLUMN>LIMIT, as p99>+10%, "
                 "read:mean>+5us, errors>0, total:calls<-50%\nCOLUMN is calls, errors, bytes, "
                 "total, mean, p50, p90, p99, p99.9 or max; a change must be more than noise.")
      ->type_name("CONDITION")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--folded", w.folded,
                 "write PREFIX.a.folded and PREFIX.b.folded, for difffolded.pl")
      ->type_name("PREFIX");
  const std::map<std::string, Weigh> weights{
      {"time", Weigh::time}, {"count", Weigh::count}, {"bytes", Weigh::bytes}};
  offer(app.add_option("--by", w.by, "what --folded adds up: time (ns), count or bytes"),
        "time count bytes")
      ->transform(CLI::CheckedTransformer(weights).description(""))
      ->type_name("WHAT");
  app.footer(
      "More than noise: p < 0.001 (|z| > 3.29). Calls as Poisson counts, errors as shares, times "
      "by "
      "Mann-Whitney's U with an effect (Vargha-Delaney's A) of at least 0.06 off a half, p99 by "
      "the "
      "share of calls beyond the p99 of both.");
}

void write_folded(const read::Trace& trace, Weigh by, const std::string& path) {
  Session session = session_of(trace);
  session.by = by;
  Output output(path, folded_alike.target);
  const std::unique_ptr<Sink> sink = folded_alike.open(output, session);
  feed(trace, session, *sink, {.enter = folded_alike.enter, .leave = folded_alike.leave});
  output.finish();
}

void say_losses_of(const Side& side) {
  const read::Losses& l = side.losses;
  if (l.calls || l.gaps || l.rolled_over || l.untraced || l.damaged)
    fmt::print(stderr, "sctrace: {}: not all of the run is in it:\n", side.name);
  say_losses(l);
}

}  // namespace

int verb_diff(int argc, char** argv) {
  CLI::App app("Compares two traces: what got slower, more, new, failing.");
  Wish wish;
  add_options(app, wish);
  if (const auto status = parse(app, argc, argv)) return *status;
  std::vector<Condition> conditions;
  try {
    for (const std::string& text : wish.conditions) conditions.push_back(condition_of(text));
  } catch (const std::invalid_argument& wrong) {
    fmt::print(stderr, "sctrace diff: {}\n", wrong.what());
    return 2;
  }
  const read::Trace trace_a(wish.a), trace_b(wish.b);
  const Side a = side_of(trace_a), b = side_of(trace_b);
  const Diff diff = diff_of(a, b);
  fmt::print("{}", wish.json ? diff_json(diff, a, b) : diff_table(diff, a, b, wish.all));
  if (!wish.folded.empty()) {
    write_folded(trace_a, wish.by, wish.folded + ".a.folded");
    write_folded(trace_b, wish.by, wish.folded + ".b.folded");
  }
  say_losses_of(a), say_losses_of(b);
  bool failed = false;
  for (const Condition& one : conditions)
    for (const std::string& line : broken(one, diff)) {
      failed = true;
      fmt::print(stderr, "sctrace diff: {}\n", line);
    }
  return failed ? 1 : 0;
}

}  // namespace sctrace::cli
