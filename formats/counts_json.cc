#include <fmt/format.h>

#include "formats/counts_table.h"
#include "formats/json.h"
#include "formats/text.h"

namespace sctrace {

namespace {

std::string errors_json(const Count& row) {
  std::string all;
  for (const auto& [error, n] : row.errors_by) {
    const std::string name = errno_name(error);
    all += fmt::format("{}\"{}\": {}", all.empty() ? "" : ", ",
                       name.empty() ? fmt::to_string(error) : name, n);
  }
  return "{" + all + "}";
}

// Pairs of a duration and how many were no longer than it, and longer than the one before.
std::string histogram_json(const Latencies& latencies) {
  std::string all;
  const std::vector<uint32_t> steps = latencies.steps();
  for (size_t step = 0; step < steps.size(); ++step)
    if (const uint32_t n = steps[step])
      all += fmt::format("{}[{}, {}]", all.empty() ? "" : ", ", Latencies::step_end(step), n);
  return "[" + all + "]";
}

}  // namespace

std::string row_json(const Count& row, bool histogram) {
  const Latencies& slow = row.latencies;
  std::string all = fmt::format(
      "{{\"name\": {}, \"calls\": {}, \"errors\": {}, \"unfinished\": {}, \"bytes\": {}, "
      "\"ns_total\": {}, \"ns_mean\": {}, \"ns_min\": {}, \"ns_p50\": {}, \"ns_p90\": {}, "
      "\"ns_p99\": {}, \"ns_p999\": {}, \"ns_max\": {}",
      json_text(row.name), row.calls, row.errors, row.unfinished, row.bytes, slow.total(),
      slow.mean(), slow.min(), slow.quantile(0.5), slow.quantile(0.9), slow.quantile(0.99),
      slow.quantile(0.999), slow.max());
  if (!row.errors_by.empty()) all += ", \"errors_by\": " + errors_json(row);
  if (histogram) all += ", \"histogram\": " + histogram_json(slow);
  return all + "}";
}

std::string losses_json(const read::Losses& losses) {
  return fmt::format(
      "\"lost\": {}, \"gaps\": {}, \"rolled_over\": {}, \"cut\": {}, \"untraced\": {}, "
      "\"damaged\": {}, \"clock_uncertain\": {}",
      losses.calls, losses.gaps, losses.rolled_over, losses.cut + losses.cut_here, losses.untraced,
      losses.damaged, losses.clock_uncertain);
}

std::string run_json(const Run& run, int64_t wall_offset) {
  const int64_t began = run.first ? static_cast<int64_t>(run.first) + wall_offset : 0;
  const std::string spent = run.spent.empty() ? "null" : fmt::to_string(run.processor());
  return fmt::format(
      "{{\"ns_wall\": {}, \"ns_began\": {}, \"threads\": {}, \"processes\": {}, \"ns_cpu\": {}, "
      "\"processes_cpu\": {}}}",
      run.wall(), began, run.threads.size(), run.processes.size(), spent, run.spent.size());
}

std::string counts_json(const std::vector<Count>& rows, const Count& total, const Run& run,
                        const read::Losses& losses, int64_t wall_offset, const JsonOptions& how) {
  std::string all = "{" + losses_json(losses);
  all += fmt::format(",\n \"run\": {},\n \"total\": {},\n \"by\": \"{}\", \"{}\": [",
                     run_json(run, wall_offset), row_json(total, how.histogram), how.by,
                     how.by == "syscall" ? "syscalls" : "rows");
  const char* comma = "\n";
  for (const Count& row : rows) {
    all += comma + ("  " + row_json(row, how.histogram));
    comma = ",\n";
  }
  return all + "]}\n";
}

}  // namespace sctrace
