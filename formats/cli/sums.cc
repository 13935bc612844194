#include "formats/cli/sums.h"

#include <optional>
#include <utility>

#include "formats/cli/bar.h"
#include "formats/tally.h"

namespace sctrace::cli {

const std::map<std::string, GroupKey>& group_keys() {
  static const std::map<std::string, GroupKey> keys{
      {"syscall", GroupKey::syscall}, {"fd", GroupKey::fd},         {"path", GroupKey::path},
      {"peer", GroupKey::peer},       {"thread", GroupKey::thread}, {"process", GroupKey::process},
      {"errno", GroupKey::error},     {"stack", GroupKey::stack},   {"depth", GroupKey::depth}};
  return keys;
}

Sums sums_of(const read::Trace& trace, GroupKey by, const std::function<void(double)>& progress) {
  Sums sums;
  Groups groups(by, trace);
  const bool by_call = by == GroupKey::syscall;
  std::optional<Tally> tally = by_call ? tally_of(trace, progress) : std::nullopt;
  if (tally) {
    sums.counts = std::move(tally->counts);
    sums.run = std::move(tally->run);
    sums.losses = tally->losses;
  } else {
    read::Timeline timeline(trace);
    Way way(trace, progress);
    for (read::Item item; timeline.next(item);) {
      way.at(item.when);
      sums.run.add(item);
      if (by_call)
        sums.counts.add(item);
      else
        groups.add(item);
    }
    sums.losses = timeline.losses();
  }
  for (const read::Image& image : trace.images())
    read::each_counted(image, [&](const read::Counted& counted) {
      if (by_call)
        sums.counts.add(counted, trace.clock());
      else
        groups.add(counted);
      sums.run.add(image, counted, trace.clock());
    });
  for (const read::Image& image : trace.images()) sums.run.add(image);
  sums.rows = by_call ? sums.counts.rows() : groups.rows();
  sums.total = by_call ? sum_of(sums.rows) : groups.total();
  return sums;
}

}  // namespace sctrace::cli
