#include "formats/counts_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/text.h"

namespace sctrace {

namespace {

bool is_less(const Count& a, const Count& b, SortKey key) {
  const Latencies &one = a.latencies, &other = b.latencies;
  switch (key) {
    case SortKey::time: return one.total() > other.total();
    case SortKey::min_time: return one.min() > other.min();
    case SortKey::max_time: return one.max() > other.max();
    case SortKey::average: return one.mean() > other.mean();
    case SortKey::calls: return a.calls > b.calls;
    case SortKey::errors: return a.errors > b.errors;
    case SortKey::name: return a.name < b.name;
    case SortKey::p50: return one.quantile(0.5) > other.quantile(0.5);
    case SortKey::p99: return one.quantile(0.99) > other.quantile(0.99);
    case SortKey::bytes: return a.bytes > b.bytes;
    case SortKey::none: return false;
  }
  return false;
}

double share(uint64_t part, uint64_t whole) {
  return whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

double seconds(uint64_t ns) { return static_cast<double>(ns) / 1e9; }

// Microseconds in at most nine places: 0.123, 12.345, 12345.6, 1234567890.
std::string us(uint64_t ns) {
  const double value = static_cast<double>(ns) / 1000;
  return fmt::format("{:.{}f}", value, value < 100 ? 3 : value < 100000 ? 1 : 0);
}

std::vector<Count> finished(std::vector<Count> rows, SortKey key) {
  std::erase_if(rows, [](const Count& row) { return row.calls == 0; });
  sort(rows, key);
  return rows;
}

// A name in one line whatever is in it: files may be called anything.
std::string printable(const std::string& name) {
  Value text = value_text(name);
  TextOptions options;
  options.strsize = name.size();
  const std::string quotes = quoted(text, options);
  return quotes.size() == name.size() + 2 ? name : quotes;
}

}  // namespace

void sort(std::vector<Count>& rows, SortKey key) {
  if (key == SortKey::none) return;
  std::stable_sort(rows.begin(), rows.end(),
                   [key](const Count& a, const Count& b) { return is_less(a, b, key); });
}

Count sum_of(const std::vector<Count>& rows) {
  Count all;
  for (const Count& row : rows) all.add(row);
  return all;
}

std::string counts_table(std::vector<Count> rows, const Count& total, SortKey key,
                         std::string_view what) {
  rows = finished(std::move(rows), key);
  const std::string rule =
      "------ ----------- --------- -------- --------- --------- --------- --------- --------- "
      "----------- ----------------\n";
  std::string all = fmt::format(
      "% time     seconds     calls   errors    p50/us    p90/us    p99/us  p99.9/us    max/us     "
      "  "
      "bytes {}\n{}",
      what, rule);
  const auto line = [&](const Count& row, const std::string& name) {
    const Latencies& slow = row.latencies;
    all +=
        fmt::format("{:6.2f} {:11.6f} {:9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>11} {}\n",
                    share(slow.total(), total.latencies.total()), seconds(slow.total()), row.calls,
                    row.errors ? fmt::to_string(row.errors) : "", us(slow.quantile(0.5)),
                    us(slow.quantile(0.9)), us(slow.quantile(0.99)), us(slow.quantile(0.999)),
                    us(slow.max()), row.bytes ? fmt::to_string(row.bytes) : "", name);
  };
  for (const Count& row : rows) line(row, printable(row.name));
  all += rule;
  line(total, "total");
  return all;
}

std::string run_text(const Count& total, const Run& run) {
  std::string all;
  std::vector<std::pair<uint64_t, uint32_t>> errors;
  for (const auto& [error, n] : total.errors_by) errors.emplace_back(n, error);
  std::sort(errors.begin(), errors.end(), std::greater<>());
  for (const auto& [n, error] : errors) {
    const std::string name = errno_name(error);
    all += fmt::format("{} {} {}", all.empty() ? "errors:" : ",", n,
                       name.empty() ? fmt::to_string(error) : name);
  }
  if (!all.empty()) all += '\n';
  std::string spent;
  if (!run.spent.empty())
    spent = fmt::format(", {:.6f} s of processor time", seconds(run.processor()));
  if (!run.spent.empty() && run.spent.size() < run.processes.size())
    spent += fmt::format(" in {} of them", run.spent.size());
  return all +
         fmt::format("run: {:.6f} s, {} thread{} in {} process{}{}; {} call{} not come back\n",
                     seconds(run.wall()), run.threads.size(), run.threads.size() == 1 ? "" : "s",
                     run.processes.size(), run.processes.size() == 1 ? "" : "es", spent,
                     total.unfinished, total.unfinished == 1 ? " has" : "s have");
}

std::string histogram_text(const Count& row) {
  std::vector<uint64_t> doublings;  // n: those of [2^n, 2^(n+1)) ns; 0 holds 0 and 1
  const std::vector<uint32_t> steps = row.latencies.steps();
  for (size_t step = 0; step < steps.size(); ++step) {
    if (!steps[step]) continue;
    size_t n = 0;
    while (Latencies::step_end(step) >> (n + 1)) ++n;
    if (doublings.size() <= n) doublings.resize(n + 1);
    doublings[n] += steps[step];
  }
  const auto unit = [](uint64_t ns) {
    const char* units[] = {"ns", "us", "ms", "s"};
    size_t at = 0;
    double value = static_cast<double>(ns);
    for (; at < 3 && value >= 1000; ++at) value /= 1000;
    return fmt::format("{:.{}f} {}", value, at && value < 100 ? 1 : 0, units[at]);
  };
  std::string all =
      fmt::format("{}: {} call{}\n", printable(row.name), row.calls, row.calls == 1 ? "" : "s");
  size_t first = 0;
  while (first < doublings.size() && !doublings[first]) ++first;
  const uint64_t most =
      doublings.empty() ? 1 : *std::max_element(doublings.begin(), doublings.end());
  for (size_t n = first; n < doublings.size(); ++n) {
    const size_t bar = (doublings[n] * 50 + most - 1) / most;  // what is there is seen
    all += fmt::format("  {:>9} to {:>9} {:>10} |{}\n", n ? unit(uint64_t{1} << n) : "0 ns",
                       unit(uint64_t{2} << n), doublings[n], std::string(bar, '#'));
  }
  return all;
}

}  // namespace sctrace
