// What a difference may not exceed, for use in CI: `p99>+10%`, `read:p99>+5us`, `errors>0`,
// `total:calls>+20%`.
//
//   [CALL:]COLUMN (> | >= | < | <=) [+ | -] NUMBER [% | ns | us | ms | s]
//
// COLUMN is calls, errors, bytes, total, mean, p50, p90, p99, p99.9 or max. With a sign or a % it
// is the change from A to B, and must be more than noise too (noise.h); without, B's own value.
// CALL is one system call, or `total` for all together; without it each row is looked at.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/diff.h"

namespace sctrace {

struct Condition {
  enum class Column : uint8_t { calls, errors, bytes, total, mean, p50, p90, p99, p999, max };
  std::string text, call;  // call: empty for each
  Column column = Column::calls;
  std::string column_name;
  bool above = true, or_equal = false, change = false, percent = false;
  double limit = 0;  // calls, bytes or ns; with `percent`, percent
};

Condition condition_of(std::string_view text);  // throws std::invalid_argument

// One line for each row that the condition holds for: "read: p99 went from 1.2 us to 3.4 us …".
std::vector<std::string> broken(const Condition& condition, const Diff& diff);

}  // namespace sctrace
