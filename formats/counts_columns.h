// The table of `strace -c`: its columns, widths and orders, any of them by any of its names.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "formats/counts.h"

namespace sctrace {

enum class Column : uint8_t { share, total, shortest, longest, average, calls, errors, name, none };

// "time", "avg-time", "syscall_name", …; Column::none for "nothing". Throws std::invalid_argument.
Column column_named(std::string_view name);
// Separated by commas, each once.
std::vector<Column> columns_named(std::string_view list);
inline constexpr std::string_view usual_columns =
    "time-percent,total-time,avg-time,calls,errors,name";

// `rows` in the order of their numbers, which equal ones keep.
std::string counts_of(std::vector<Count> rows, Column order, const std::vector<Column>& columns);

}  // namespace sctrace
