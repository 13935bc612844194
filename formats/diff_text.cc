// The differences of two runs as a table and as JSON.
#include <fmt/format.h>

#include <cmath>

#include "formats/counts_table.h"
#include "formats/diff.h"
#include "formats/json.h"
#include "formats/text.h"

namespace sctrace {

namespace {

std::string duration(uint64_t ns) {
  const char* units[] = {"ns", "us", "ms", "s"};
  auto value = static_cast<double>(ns);
  size_t unit = 0;
  for (; unit < 3 && value >= 1000; ++unit) value /= 1000;
  return fmt::format("{:.{}f} {}", value, unit && value < 100 ? 1 : 0, units[unit]);
}

// "+12.3 %*": the star says that it is more than noise.
std::string change(uint64_t a, uint64_t b, bool more) {
  std::string text = "=";
  if (a && a != b)
    text = fmt::format("{:+.1f} %", 100 * (static_cast<double>(b) / static_cast<double>(a) - 1));
  else if (!a && b)
    text = "new";
  if (text == "=" && !more) return "= ";
  return text + (more ? "*" : " ");
}

std::string line(const DiffRow& row) {
  const Latencies &a = row.a.latencies, &b = row.b.latencies;
  const auto times = [&](double q, bool more) {
    if (!row.a.calls || !row.b.calls) return std::string(31, ' ');
    return fmt::format("{:>9} {:>9} {:>11}", duration(a.quantile(q)), duration(b.quantile(q)),
                       change(a.quantile(q), b.quantile(q), more));
  };
  return fmt::format("{:<18} {:>9} {:>9} {:>11} {:>7} {:>7} {} {} {:>9} {:>9}\n", row.name,
                     row.a.calls, row.b.calls, change(row.a.calls, row.b.calls, row.noise.calls),
                     row.a.errors ? fmt::to_string(row.a.errors) : "",
                     fmt::format("{}{}", row.b.errors ? fmt::to_string(row.b.errors) : "",
                                 row.noise.errors ? "*" : " "),
                     times(0.5, row.noise.times), times(0.99, row.noise.tail), duration(a.total()),
                     duration(b.total()));
}

std::string list(const char* title, const Diff::Names& names, bool all) {
  if (names.empty()) return {};
  std::string text = fmt::format("\n{} ({}):\n", title, names.size());
  const size_t shown = all ? names.size() : std::min<size_t>(names.size(), 20);
  for (size_t i = 0; i < shown; ++i) {
    Value name = value_text(names[i].first);
    TextOptions options;
    options.strsize = name.whole;
    text += fmt::format("  {} {}\n", quoted(name, options), names[i].second);
  }
  if (shown < names.size()) text += fmt::format("  … and {} more (--all)\n", names.size() - shown);
  return text;
}

std::string json(const Diff::Names& names) {
  std::string all;
  for (const auto& [name, calls] : names)
    all += fmt::format("{}\n    {{\"name\": {}, \"calls\": {}}}", all.empty() ? "" : ",",
                       json_text(name), calls);
  return "[" + all + "]";
}

std::string json(const DiffRow& row) {
  const Noise& n = row.noise;
  return fmt::format(
      "{{\"name\": {}, \"a\": {}, \"b\": {}, \"more_than_noise\": {{\"calls\": {}, \"errors\": {}, "
      "\"times\": {}, \"tail\": {}}}, \"z\": {{\"calls\": {:.3f}, \"errors\": {:.3f}, "
      "\"times\": {:.3f}, \"tail\": {:.3f}}}, \"slower\": {:.4f}}}",
      json_text(row.name), row_json(row.a, false), row_json(row.b, false), n.calls, n.errors,
      n.times, n.tail, n.calls_z, n.errors_z, n.times_z, n.tail_z, n.slower);
}

std::string json(const Side& side) {
  return fmt::format("{{\"trace\": {}, \"run\": {}, {}}}", json_text(side.name),
                     run_json(side.run, 0), losses_json(side.losses));
}

}  // namespace

std::string diff_table(const Diff& diff, const Side& a, const Side& b, bool all) {
  std::string text = fmt::format(
      "A {}: {} calls, {}\nB {}: {} calls, {}\n\n{:<18} {:>9} {:>9} {:>11} {:>7} {:>7} {:>9} {:>9} "
      "{:>11} {:>9} {:>9} {:>11} {:>9} {:>9}\n",
      a.name, a.total.calls, duration(a.run.wall()), b.name, b.total.calls, duration(b.run.wall()),
      "syscall", "calls A", "calls B", "", "err A", "err B ", "p50 A", "p50 B", "", "p99 A",
      "p99 B", "", "time A", "time B");
  size_t quiet = 0;
  for (const DiffRow& row : diff.rows)
    if (all || row.noise.any() || !row.a.calls != !row.b.calls)
      text += line(row);
    else
      ++quiet;
  text += line(diff.total);
  if (quiet)
    text +=
        fmt::format("{} call{} by no more than noise (--all shows them); * is more than noise\n",
                    quiet, quiet == 1 ? " differs" : "s differ");
  return text + list("new files", diff.new_paths, all) +
         list("files no longer touched", diff.gone_paths, all) +
         list("new peers", diff.new_peers, all) +
         list("peers no longer spoken to", diff.gone_peers, all);
}

std::string diff_json(const Diff& diff, const Side& a, const Side& b) {
  std::string all = "{\"a\": " + json(a) + ",\n \"b\": " + json(b) +
                    ",\n \"total\": " + json(diff.total) + ",\n \"syscalls\": [";
  const char* comma = "\n  ";
  for (const DiffRow& row : diff.rows) {
    all += comma + json(row);
    comma = ",\n  ";
  }
  return all + "],\n \"new_paths\": " + json(diff.new_paths) +
         ",\n \"gone_paths\": " + json(diff.gone_paths) +
         ",\n \"new_peers\": " + json(diff.new_peers) +
         ",\n \"gone_peers\": " + json(diff.gone_peers) + "}\n";
}

}  // namespace sctrace
