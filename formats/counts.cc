#include "formats/counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "arch/table.h"

namespace sctrace {

namespace {

constexpr unsigned fine = 7;  // bits of a step's mantissa: 1/128

size_t step_of(uint64_t ns) {
  if (ns < 1u << fine) return static_cast<size_t>(ns);
  const auto above = static_cast<unsigned>(std::bit_width(ns)) - 1 - fine;
  return (static_cast<size_t>(above) << fine) + static_cast<size_t>(ns >> above);
}

// The largest duration of a step.
uint64_t end_of(size_t step) {
  if (step < 2u << fine) return step;
  const auto above = static_cast<unsigned>(step >> fine) - 1;
  return (((step & ((1u << fine) - 1)) + (1u << fine) + 1) << above) - 1;
}

std::string name_of(uint32_t nr) {
  const char* name = arch::lookup(nr).name;
  return name ? name : fmt::format("syscall_{:#x}", nr);
}

bool is_less(const Count& a, const Count& b, SortKey key) {
  switch (key) {
    case SortKey::time: return a.latencies.total() > b.latencies.total();
    case SortKey::calls: return a.calls > b.calls;
    case SortKey::errors: return a.errors > b.errors;
    case SortKey::name: return a.name < b.name;
    case SortKey::max: return a.latencies.max() > b.latencies.max();
    case SortKey::none: return false;
  }
  return false;
}

double share(uint64_t part, uint64_t whole) {
  return whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

double us(uint64_t ns) { return static_cast<double>(ns) / 1000; }

}  // namespace

void Latencies::add(uint64_t ns) {
  const size_t step = step_of(ns);
  if (steps_.size() <= step) steps_.resize(step + 1);
  ++steps_[step];
  ++count_;
  total_ += ns;
  min_ = std::min(min_, ns);
  max_ = std::max(max_, ns);
}

uint64_t Latencies::quantile(double q) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(q * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t step = 0; step < steps_.size(); ++step)
    if ((seen += steps_[step]) >= wanted && seen) return std::min(end_of(step), max_);
  return max_;
}

void Counts::add(const read::Item& item) {
  if (item.kind != read::Item::Kind::enter && item.kind != read::Item::Kind::leave) return;
  const read::Call& call = *item.call;
  Count& count = by_number_[call.nr];
  if (item.kind == read::Item::Kind::enter) {
    ++count.unfinished;  // until it leaves
    return;
  }
  --count.unfinished;
  came_back(call);
}

void Counts::came_back(const read::Call& call, uint64_t overhead) {
  Count& count = by_number_[call.nr];
  ++count.calls;
  const uint64_t ns = call.finished - std::min(call.began, call.finished);
  count.latencies.add(ns - std::min(overhead, ns));
  if (call.result < 0 && call.result >= -4095)
    ++count.errors;
  else if (arch::lookup(call.nr).result == arch::Result::count && call.result > 0)
    count.bytes += static_cast<uint64_t>(call.result);
}

std::vector<Count> Counts::by_number() const {
  std::vector<Count> all;
  for (const auto& [nr, count] : by_number_) {
    all.push_back(count);
    all.back().name = name_of(nr);
  }
  return all;
}

std::vector<Count> Counts::rows() const {
  std::vector<Count> all = by_number();
  std::stable_sort(all.begin(), all.end(),
                   [](const Count& a, const Count& b) { return is_less(a, b, SortKey::time); });
  return all;
}

std::string counts_table(std::vector<Count> rows, SortKey key, bool latencies) {
  std::erase_if(rows, [](const Count& row) { return row.calls == 0; });
  if (key != SortKey::none)
    std::stable_sort(rows.begin(), rows.end(),
                     [key](const Count& a, const Count& b) { return is_less(a, b, key); });
  uint64_t time = 0, calls = 0, errors = 0, slowest = 0;
  for (const Count& row : rows) {
    time += row.latencies.total(), calls += row.calls, errors += row.errors;
    slowest = std::max(slowest, row.latencies.max());
  }
  const char* more_title = latencies ? "    p50/us     p99/us     max/us" : "";
  const char* more_line = latencies ? " --------- ---------- ----------" : "";
  const std::string rule = fmt::format(
      "------ ----------- ----------- --------- ---------{} ----------------\n", more_line);
  std::string all =
      fmt::format("% time     seconds  usecs/call     calls    errors{} syscall\n", more_title) +
      rule;
  const auto line = [&](uint64_t ns, uint64_t n, uint64_t failed, const std::string& columns,
                        const std::string& name) {
    all += fmt::format("{:6.2f} {:11.6f} {:11} {:9} {:>9}{} {}\n", share(ns, time),
                       static_cast<double>(ns) / 1e9, n ? ns / n / 1000 : 0, n,
                       failed ? fmt::to_string(failed) : "", columns, name);
  };
  for (const Count& row : rows) {
    const Latencies& slow = row.latencies;
    line(slow.total(), row.calls, row.errors,
         latencies ? fmt::format(" {:9.1f} {:10.1f} {:10.1f}", us(slow.quantile(0.5)),
                                 us(slow.quantile(0.99)), us(slow.max()))
                   : "",
         row.name);
  }
  all += rule;
  line(time, calls, errors, latencies ? fmt::format("{:21} {:10.1f}", "", us(slowest)) : "",
       "total");
  return all;
}

std::string counts_json(const std::vector<Count>& rows, const read::Losses& losses) {
  std::string all = fmt::format(
      "{{\"lost\": {}, \"gaps\": {}, \"rolled_over\": {}, \"cut\": {}, \"untraced\": {}, "
      "\"damaged\": {}, \"clock_uncertain\": {},\n \"syscalls\": [",
      losses.calls, losses.gaps, losses.rolled_over, losses.cut + losses.cut_here, losses.untraced,
      losses.damaged, losses.clock_uncertain);
  const char* comma = "\n";
  for (const Count& row : rows) {
    const Latencies& slow = row.latencies;
    all += fmt::format(
        "{}  {{\"name\": \"{}\", \"calls\": {}, \"errors\": {}, \"unfinished\": {}, \"bytes\": {}, "
        "\"ns_total\": {}, \"ns_mean\": {}, \"ns_p50\": {}, \"ns_p90\": {}, \"ns_p99\": {}, "
        "\"ns_max\": {}}}",
        comma, row.name, row.calls, row.errors, row.unfinished, row.bytes, slow.total(),
        row.calls ? slow.total() / row.calls : 0, slow.quantile(0.5), slow.quantile(0.9),
        slow.quantile(0.99), slow.max());
    comma = ",\n";
  }
  return all + "]}\n";
}

}  // namespace sctrace
