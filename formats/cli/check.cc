// `sctrace check`: one line a problem; `--repair` makes a torn trace whole.
#include "formats/read/check.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "formats/cli/bar.h"
#include "formats/cli/json.h"
#include "formats/cli/verbs.h"

namespace sctrace::cli {

namespace {

void print_json(const read::Checked& checked) {
  const auto list = [](const std::vector<read::Damage>& all) {
    std::string text;
    for (const read::Damage& one : all)
      text +=
          fmt::format("{}{{\"file\": {}, \"offset\": {}, \"why\": {}}}", text.empty() ? "" : ", ",
                      json_quoted(one.file), one.offset, json_quoted(one.why));
    return text;
  };
  fmt::print(
      "{{\"problem_count\": {}, \"problems\": [{}], \"notes\": [{}], \"images\": {}, \"calls\": "
      "{}}}\n",
      checked.problem_count, list(checked.problems), list(checked.notes), checked.images,
      checked.calls);
}

void print_text(const read::Checked& checked) {
  for (const read::Damage& one : checked.problems)
    fmt::print("{}: offset {}: {}\n", one.file, one.offset, one.why);
  if (checked.problem_count > checked.problems.size())
    fmt::print("and {} more problems\n", checked.problem_count - checked.problems.size());
  for (const read::Damage& one : checked.notes) fmt::print("{}: {}\n", one.file, one.why);
  if (!checked.problem_count)
    fmt::print("whole: {} images, {} calls\n", checked.images, checked.calls);
}

}  // namespace

int verb_check(int argc, char** argv) {
  CLI::App app(
      "Reads every byte of a trace. Exit status 1 if anything is damaged. A program that was "
      "killed while\n"
      "it recorded leaves a trace that ends early: that is said and is no damage.");
  std::string trace;
  bool repair = false, json = false;
  app.add_option("TRACE", trace, "trace directory (default: the newest sctrace-* here)");
  app.add_flag("--repair", repair, "rewrite what is torn; no record that can be read is lost");
  app.add_flag("--json", json, "one JSON object: problem_count, problems, notes, images, calls");
  if (const auto status = parse(app, argc, argv)) return *status;
  trace = trace_named(trace);
  if (repair)
    for (const std::string& line : read::repair(trace)) fmt::print(stderr, "sctrace: {}\n", line);
  const read::Checked checked = [&] {
    Bar bar;
    return bar.is_wanted() ? read::check(trace, std::ref(bar)) : read::check(trace);
  }();
  if (json)
    print_json(checked);
  else
    print_text(checked);
  return checked.problem_count ? 1 : 0;
}

}  // namespace sctrace::cli
