#include "formats/cli/sums.h"

namespace sctrace::cli {

const std::map<std::string, GroupKey>& group_keys() {
  static const std::map<std::string, GroupKey> keys{
      {"syscall", GroupKey::syscall}, {"fd", GroupKey::fd},         {"path", GroupKey::path},
      {"peer", GroupKey::peer},       {"thread", GroupKey::thread}, {"process", GroupKey::process},
      {"errno", GroupKey::error},     {"stack", GroupKey::stack}};
  return keys;
}

Sums sums_of(const read::Trace& trace, GroupKey by) {
  read::Timeline timeline(trace);
  Sums sums;
  Groups groups(by, trace);
  const bool by_call = by == GroupKey::syscall;
  for (read::Item item; timeline.next(item);) {
    sums.run.add(item);
    if (by_call)
      sums.counts.add(item);
    else
      groups.add(item);
  }
  for (const read::Image& image : trace.images())
    read::each_counted(image, [&](const read::Counted& counted) {
      if (by_call)
        sums.counts.add(counted, trace.clock());
      else
        groups.add(counted);
      sums.run.add(image, counted, trace.clock());
    });
  sums.rows = by_call ? sums.counts.rows() : groups.rows();
  sums.total = by_call ? sum_of(sums.rows) : groups.total();
  sums.losses = timeline.losses();
  return sums;
}

}  // namespace sctrace::cli
