#include "formats/diff.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>

namespace sctrace {

namespace {

constexpr unsigned long first_ephemeral = 32768;  // of ports that nobody chose

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::vector<Count> renamed(const std::vector<Count>& rows) {
  std::map<std::string, Count> by_name;
  for (const Count& row : rows) {
    if (row.name == no_group) continue;
    const std::string name = usual_name(row.name);
    by_name[name].add(row);
    by_name[name].name = name;
  }
  std::vector<Count> all;
  for (auto& [name, row] : by_name) all.push_back(std::move(row));
  return all;
}

// Those of `a` that `b` lacks; both by name.
Diff::Names only_in(const std::vector<Count>& a, const std::vector<Count>& b) {
  Diff::Names all;
  const auto less = [](const Count& one, const Count& other) { return one.name < other.name; };
  for (const Count& row : a)
    if (row.calls && !std::binary_search(b.begin(), b.end(), row, less))
      all.emplace_back(row.name, row.calls);
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& one, const auto& other) { return one.second > other.second; });
  return all;
}

uint64_t change(const DiffRow& row) {
  const uint64_t a = row.a.latencies.total(), b = row.b.latencies.total();
  return std::max(a, b) - std::min(a, b);
}

}  // namespace

std::string usual_name(const std::string& name) {
  std::string all;
  for (size_t at = 0; at < name.size();) {
    const bool here = is_digit(name[at]) && (at == 0 || !is_digit(name[at - 1]));
    size_t end = at;
    while (end < name.size() && is_digit(name[end])) ++end;
    const bool process =
        here && all.ends_with("/proc/") && (end == name.size() || name[end] == '/');
    const bool inode = here && (all.ends_with(":[") || all.ends_with("/task/")) &&
                       (end == name.size() || name[end] == ']' || name[end] == '/');
    // A port stands at the end of an address, with or without what we say behind it.
    const bool port = here && all.ends_with(':') && all.find('/') == std::string::npos &&
                      (end == name.size() || name[end] == ' ') &&
                      std::strtoul(name.c_str() + at, nullptr, 10) >= first_ephemeral;
    if (process || inode)
      all += 'N', at = end;
    else if (port)
      all += '*', at = end;
    else
      all += name[at++];
  }
  return all;
}

Side side_of(const read::Trace& trace) {
  read::Timeline timeline(trace);
  Side side;
  side.name = trace.directory();
  Counts counts;
  Groups paths(GroupKey::path, trace, false), peers(GroupKey::peer, trace, false);
  for (read::Item item; timeline.next(item);) {
    side.run.add(item);
    counts.add(item);
    paths.add(item);
    peers.add(item);
  }
  for (const read::Image& image : trace.images())
    read::each_counted(image, [&](const read::Counted& counted) {
      counts.add(counted, trace.clock());
      side.run.add(image, counted, trace.clock());
    });
  side.calls = counts.rows();
  for (const Count& row : side.calls) side.total.add(row);
  side.paths = renamed(paths.rows());
  side.peers = renamed(peers.rows());
  side.losses = timeline.losses();
  return side;
}

Diff diff_of(const Side& a, const Side& b) {
  std::map<std::string, DiffRow> rows;
  for (const Count& row : a.calls) rows[row.name].a = row;
  for (const Count& row : b.calls) rows[row.name].b = row;
  Diff diff;
  for (auto& [name, row] : rows) {
    row.name = name;
    row.noise = noise_between(row.a, row.b);
    diff.rows.push_back(std::move(row));
  }
  std::stable_sort(
      diff.rows.begin(), diff.rows.end(),
      [](const DiffRow& one, const DiffRow& other) { return change(one) > change(other); });
  diff.total = {"total", a.total, b.total, noise_between(a.total, b.total)};
  diff.new_paths = only_in(b.paths, a.paths), diff.gone_paths = only_in(a.paths, b.paths);
  diff.new_peers = only_in(b.peers, a.peers), diff.gone_peers = only_in(a.peers, b.peers);
  return diff;
}

}  // namespace sctrace
