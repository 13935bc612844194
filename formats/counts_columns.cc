#include "formats/counts_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace sctrace {
namespace {

struct Total {
  uint64_t time = 0, calls = 0, errors = 0, shortest = ~0ull, longest = 0;
};

uint64_t average(const Count& row) { return row.latencies.total() / row.calls; }
double seconds(uint64_t ns) { return static_cast<double>(ns) / 1e9; }

uint64_t weight(const Count& row, Column by) {
  switch (by) {
    case Column::shortest: return row.latencies.min();
    case Column::longest: return row.latencies.max();
    case Column::average: return average(row);
    case Column::calls: return row.calls;
    case Column::errors: return row.errors;
    default: return row.latencies.total();
  }
}

const char* title(Column column) {
  static constexpr const char* titles[] = {"% time",     "seconds", "shortest", "longest",
                                           "usecs/call", "calls",   "errors",   "syscall"};
  return titles[static_cast<size_t>(column)];
}

size_t least_width(Column column) {
  static constexpr size_t widths[] = {6, 11, 8, 7, 11, 9, 9, 16};
  return widths[static_cast<size_t>(column)];
}

std::string cell(const Count& row, Column column, uint64_t time) {
  switch (column) {
    case Column::share:
      return fmt::format("{:.2f}", row.latencies.total()
                                       ? 100.0 * seconds(row.latencies.total()) / seconds(time)
                                       : 0.0);
    case Column::total: return fmt::format("{:.6f}", seconds(row.latencies.total()));
    case Column::shortest: return fmt::format("{:.6f}", seconds(row.latencies.min()));
    case Column::longest: return fmt::format("{:.6f}", seconds(row.latencies.max()));
    case Column::average: return fmt::format("{}", average(row) / 1000);
    case Column::calls: return fmt::format("{}", row.calls);
    case Column::errors: return row.errors ? fmt::format("{}", row.errors) : "";
    default: return row.name;
  }
}

std::string total_cell(const Total& all, Column column) {
  switch (column) {
    case Column::share: return "100.00";
    case Column::total: return fmt::format("{:.6f}", seconds(all.time));
    case Column::shortest: return fmt::format("{:.6f}", seconds(all.shortest));
    case Column::longest: return fmt::format("{:.6f}", seconds(all.longest));
    case Column::average: return fmt::format("{}", all.time / all.calls / 1000);
    case Column::calls: return fmt::format("{}", all.calls);
    case Column::errors: return all.errors ? fmt::format("{}", all.errors) : "";
    default: return "total";
  }
}

class Table {
 public:
  explicit Table(const std::vector<Column>& columns) : columns_(columns) {}
  void line(std::vector<std::string> cells) { lines_.push_back(std::move(cells)); }
  void rule() { lines_.emplace_back(); }
  std::string text() const {
    std::vector<size_t> widths;
    for (size_t i = 0; i < columns_.size(); ++i) widths.push_back(width(i));
    std::string all;
    for (const auto& cells : lines_) {
      for (size_t i = 0; i < columns_.size(); ++i) {
        if (i) all += ' ';
        if (cells.empty())
          all.append(widths[i], '-');
        else if (columns_[i] != Column::name)
          all += fmt::format("{:>{}}", cells[i], widths[i]);
        else  // the last column does not fill its place
          all += i + 1 == columns_.size() ? cells[i] : fmt::format("{:<{}}", cells[i], widths[i]);
      }
      all += '\n';
    }
    return all;
  }

 private:
  size_t width(size_t i) const {
    size_t most = least_width(columns_[i]);
    for (const auto& cells : lines_)
      if (!cells.empty()) most = std::max(most, cells[i].size() + (columns_[i] == Column::name));
    return most;
  }
  const std::vector<Column>& columns_;
  std::vector<std::vector<std::string>> lines_;
};

}  // namespace

Column column_named(std::string_view name) {
  static constexpr struct {
    std::string_view name;
    Column column;
  } names[] = {
      {"time", Column::share},        {"time-percent", Column::share},
      {"time-total", Column::total},  {"total-time", Column::total},
      {"min-time", Column::shortest}, {"time-min", Column::shortest},
      {"shortest", Column::shortest}, {"max-time", Column::longest},
      {"time-max", Column::longest},  {"longest", Column::longest},
      {"avg-time", Column::average},  {"time-avg", Column::average},
      {"calls", Column::calls},       {"count", Column::calls},
      {"error", Column::errors},      {"errors", Column::errors},
      {"name", Column::name},         {"syscall", Column::name},
      {"syscall-name", Column::name}, {"none", Column::none},
      {"nothing", Column::none},      {"max", Column::longest},
  };
  std::string plain(name);
  std::replace(plain.begin(), plain.end(), '_', '-');
  for (const auto& one : names)
    if (one.name == plain) return one.column;
  throw std::invalid_argument("invalid column '" + std::string(name) + "'");
}

std::vector<Column> columns_named(std::string_view list) {
  std::vector<Column> columns;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const Column one = column_named(list.substr(0, comma));
    if (one == Column::none)
      throw std::invalid_argument("invalid column '" + std::string(list.substr(0, comma)) + "'");
    if (std::find(columns.begin(), columns.end(), one) != columns.end())
      throw std::invalid_argument("column '" + std::string(list.substr(0, comma)) + "' twice");
    columns.push_back(one);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  if (columns.empty()) throw std::invalid_argument("no column");
  return columns;
}

std::string counts_of(std::vector<Count> rows, Column order, const std::vector<Column>& columns) {
  std::erase_if(rows, [](const Count& row) { return row.calls == 0; });
  if (rows.empty()) return {};
  if (order != Column::none)
    std::stable_sort(rows.begin(), rows.end(), [order](const Count& a, const Count& b) {
      return order == Column::name ? a.name < b.name : weight(a, order) > weight(b, order);
    });
  Total all;
  for (const Count& row : rows) {
    all.time += row.latencies.total(), all.calls += row.calls, all.errors += row.errors;
    all.shortest = std::min(all.shortest, row.latencies.min());
    all.longest = std::max(all.longest, row.latencies.max());
  }
  Table table(columns);
  std::vector<std::string> cells;
  const auto line = [&](auto&& cell_of) {
    cells.clear();
    for (const Column column : columns) cells.push_back(cell_of(column));
    table.line(cells);
  };
  line([](Column column) { return std::string(title(column)); });
  table.rule();
  for (const Count& row : rows) line([&](Column column) { return cell(row, column, all.time); });
  table.rule();
  line([&](Column column) { return total_cell(all, column); });
  return table.text();
}

}  // namespace sctrace
