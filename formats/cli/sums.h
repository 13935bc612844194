// A trace counted once through: what `summary` shows, `serve` answers.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "formats/counts.h"
#include "formats/counts_table.h"
#include "formats/groups.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

struct Sums {
  Counts counts;  // by syscall only
  std::vector<Count> rows;
  Count total;
  Run run;
  read::Losses losses;
};

const std::map<std::string, GroupKey>& group_keys();  // by what --by calls them

// `progress`, now and then: 0 to 1.
Sums sums_of(const read::Trace& trace, GroupKey by,
             const std::function<void(double)>& progress = {});

// What `info --json` prints. Without `calls`, those of each object are not counted: that reads all
// records.
std::string info_json(const read::Trace& trace, bool calls);

}  // namespace sctrace::cli
