#include "formats/top.h"

#include <fmt/format.h>

#include <algorithm>

#include "arch/arguments.h"
#include "arch/table.h"
#include "formats/filter.h"
#include "formats/read/table.h"

namespace sctrace {

namespace {

std::string call_name(uint32_t nr) {
  const char* name = read::lookup(nr).name;
  return name ? name : fmt::format("syscall_{:#x}", nr);
}

std::string shortened(const std::string& text, size_t width) {
  if (text.size() <= width) return text;
  return width > 1 ? "~" + text.substr(text.size() - width + 1) : text.substr(0, width);
}

// Names of files and of programs may hold anything; a terminal shall not obey it.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

std::string short_time(uint64_t ns) {
  const double us = static_cast<double>(ns) / 1000;
  return us < 1000 ? fmt::format("{:.1f}", us) : short_number(ns / 1000);
}

constexpr const char* titles[] = {"CALL", "FD", "PATH", "THREAD"};
constexpr const char* key_names[] = {"calls", "errors", "time", "p99", "bytes", "name"};

}  // namespace

std::string short_number(uint64_t n) {
  constexpr const char units[] = "kMGTPE";
  if (n < 1000) return fmt::to_string(n);
  auto value = static_cast<double>(n);
  int unit = -1;
  while (value >= 999.5 && unit < 5) value /= 1000, ++unit;
  return value < 9.95 ? fmt::format("{:.1f}{}", value, units[unit])
                      : fmt::format("{:.0f}{}", value, units[unit]);
}

// A call counts once for each descriptor or file that it names, and as `-` where it names none.
std::vector<std::string> Top::keys_of(const read::Call& call) const {
  const arch::Row& row = read::lookup(call.nr);
  std::vector<std::string> keys;
  switch (by) {
    case TopBy::call: return {call_name(call.nr)};
    case TopBy::thread: return {fmt::format("{}", call.tid)};
    case TopBy::fd:
      for (uint8_t i = 0; i < row.arity && i < call.argc; ++i) {
        const auto fd = static_cast<int32_t>(call.args[i]);
        if (arch::descriptor_arguments(row) >> i & 1 && fd >= 0)
          keys.push_back(fmt::format("{}:{} {}", call.pid, fd, files_.path(call.pid, fd)));
      }
      break;
    case TopBy::path: keys = read::decode(call, &files_).paths; break;
  }
  std::erase_if(keys, [](const std::string& one) { return one.empty(); });
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys.empty() ? std::vector<std::string>{"-"} : keys;
}

void Top::count(const read::Call& call) {
  if (pid && call.pid != pid) return;
  if (filter.count) {
    const bool paths = wire::asks_for(filter, wire::Field::path);
    const auto touched = paths ? read::decode(call, &files_).paths : std::vector<std::string>{};
    if (!passes(filter, call, touched)) return;
  }
  for (const std::string& name : keys_of(call)) {
    TopRow& row = rows_[name];
    ++row.calls, ++row.ever;
    row.latencies.add(call.finished - std::min(call.began, call.finished));
    if (call.result < 0 && call.result >= -4095)
      ++row.errors;
    else if (read::lookup(call.nr).result == arch::Result::count && call.result > 0)
      row.bytes += static_cast<uint64_t>(call.result);
  }
}

void Top::add(const read::Counted& counted, const read::Clock& clock) {
  read::Counted& before = counted_[{counted.tid, counted.nr}];
  read::Counted grown = counted;
  const auto take = [](uint64_t& now, uint64_t& then) {
    const uint64_t all = now;
    now -= std::min(now, then);  // another thread of that number has begun anew
    then = all;
  };
  take(grown.calls, before.calls), take(grown.errors, before.errors);
  take(grown.ticks, before.ticks);
  grown.longest = 0;  // of the interval: as far as the steps say
  for (uint32_t step = 0; step < wire::counter_steps; ++step) {
    take(grown.steps[step], before.steps[step]);
    if (grown.steps[step]) grown.longest = std::min(counted.longest, wire::counter_step_end(step));
  }
  wire::Known kind{.number_only = true, .nr = counted.nr};
  const bool wanted = !filter.count || wire::evaluate(filter, kind) == wire::Truth::yes;
  if (!grown.calls || !wanted || (pid && counted.pid != pid)) return;
  Count count;
  count.add(grown, clock);
  const std::string name = by == TopBy::call     ? call_name(counted.nr)
                           : by == TopBy::thread ? fmt::format("{}", counted.tid)
                                                 : "-";
  TopRow& row = rows_[name];
  row.calls += count.calls, row.ever += count.calls, row.errors += count.errors;
  row.latencies.add(count.latencies);
}

void Top::add(const read::Item& item) {
  switch (item.kind) {
    case read::Item::Kind::thread: return files_.begin(*item.thread);
    case read::Item::Kind::enter: return files_.enter(*item.call);
    case read::Item::Kind::lost: lost_ += item.lost; return;
    case read::Item::Kind::leave:
      files_.learn(*item.call);
      count(*item.call);
      return files_.forget(*item.call);
    default: return;
  }
}

void Top::forget() {
  rows_.clear();
  shown_.clear();
}

bool Top::comes_first(const TopRow& a, const TopRow& b) const {
  switch (key) {
    case TopKey::calls: return a.calls > b.calls;
    case TopKey::errors: return a.errors > b.errors;
    case TopKey::time: return a.latencies.total() > b.latencies.total();
    case TopKey::p99: return a.latencies.quantile(0.99) > b.latencies.quantile(0.99);
    case TopKey::bytes: return a.bytes > b.bytes;
    case TopKey::name: return a.name < b.name;
  }
  return false;
}

void Top::turn(uint64_t ns) {
  constexpr size_t most = 100'000;  // rows that are remembered: paths have no end
  interval_ = std::max<uint64_t>(ns, 1);
  shown_.clear();
  for (auto& [key_text, row] : rows_) {
    row.name = key_text;
    if (row.calls) shown_.push_back(row);
    row.calls = row.errors = row.bytes = 0;
    row.latencies = {};
  }
  if (rows_.size() > most) rows_.clear();
}

std::string Top::table(const std::string& subject, size_t width, size_t lines) const {
  std::vector<TopRow> rows = shown_;
  std::stable_sort(rows.begin(), rows.end(),
                   [this](const TopRow& a, const TopRow& b) { return comes_first(a, b); });
  uint64_t calls = 0, errors = 0, time = 0;
  for (const TopRow& row : rows)
    calls += row.calls, errors += row.errors, time += row.latencies.total();
  const auto a_second = [this](uint64_t n) {
    return static_cast<uint64_t>(static_cast<double>(n) * 1e9 / static_cast<double>(interval_));
  };
  constexpr size_t columns = 62;  // what follows the name
  const size_t wide = width > columns + 12 ? width - columns : 12;
  std::string all = fmt::format("{}: {} calls/s, {} errors/s, {} lost; by {}", printable(subject),
                                short_number(a_second(calls)), short_number(a_second(errors)),
                                short_number(lost_), key_names[static_cast<int>(key)])
                        .substr(0, width) +
                    '\n';
  all += fmt::format("{:<{}} {:>8} {:>9} {:>7} {:>9} {:>9} {:>8} {:>5}\n",
                     titles[static_cast<int>(by)], wide, "CALLS/S", "CALLS", "ERR/S", "P50/us",
                     "P99/us", "BYTES/S", "TIME%");
  for (size_t n = 0; n < rows.size() && n + 2 < lines; ++n) {
    const TopRow& row = rows[n];
    const double share =
        time ? 100.0 * static_cast<double>(row.latencies.total()) / static_cast<double>(time) : 0;
    all += fmt::format("{:<{}} {:>8} {:>9} {:>7} {:>9} {:>9} {:>8} {:>5.1f}\n",
                       shortened(printable(row.name), wide), wide,
                       short_number(a_second(row.calls)), short_number(row.ever),
                       short_number(a_second(row.errors)), short_time(row.latencies.quantile(0.5)),
                       short_time(row.latencies.quantile(0.99)), short_number(a_second(row.bytes)),
                       share);
  }
  return all;
}

}  // namespace sctrace
