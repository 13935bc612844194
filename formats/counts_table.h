// Rows of counts as people and scripts read them; strace -c's form is in counts_columns.h.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "formats/counts.h"
#include "formats/groups.h"
#include "formats/read/timeline.h"

namespace sctrace {

// `none` keeps the order that the rows come in.
enum class SortKey : uint8_t {
  time,
  min_time,
  max_time,
  average,
  calls,
  errors,
  name,
  p50,
  p99,
  bytes,
  none
};
void sort(std::vector<Count>& rows, SortKey key);

// Of all rows together.
Count sum_of(const std::vector<Count>& rows);

// A line a row with quantiles in µs and bytes; `what` heads the last column. Then errors by errno,
// and how long the run was.
std::string counts_table(std::vector<Count> rows, const Count& total, SortKey key,
                         std::string_view what);
std::string run_text(const Count& total, const Run& run);

// A bar for every doubling of the time that calls took.
std::string histogram_text(const Count& row);

// One object, with the list of rows as `syscalls`, by another key as `rows`.
struct JsonOptions {
  std::string_view by = "syscall";
  bool histogram = false;
};
std::string row_json(const Count& row, bool histogram);
std::string losses_json(const read::Losses& losses);  // members, without braces
std::string run_json(const Run& run, int64_t wall_offset);
std::string counts_json(const std::vector<Count>& rows, const Count& total, const Run& run,
                        const read::Losses& losses, int64_t wall_offset, const JsonOptions& how);

}  // namespace sctrace
