#include "formats/fail_on.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace sctrace {

namespace {

using Column = Condition::Column;

struct Named {
  std::string_view name;
  Column column;
};
constexpr std::array<Named, 11> columns = {{{"calls", Column::calls},
                                            {"errors", Column::errors},
                                            {"bytes", Column::bytes},
                                            {"total", Column::total},
                                            {"mean", Column::mean},
                                            {"p50", Column::p50},
                                            {"p90", Column::p90},
                                            {"p99.9", Column::p999},
                                            {"p999", Column::p999},
                                            {"p99", Column::p99},
                                            {"max", Column::max}}};

bool is_time(Column column) { return column >= Column::total; }

[[noreturn]] void wrong(std::string_view text, const std::string& why) {
  throw std::invalid_argument(fmt::format("--fail-on `{}`: {}", text, why));
}

double value(const Count& row, Column column) {
  const Latencies& slow = row.latencies;
  const auto number = [&]() -> uint64_t {
    switch (column) {
      case Column::calls: return row.calls;
      case Column::errors: return row.errors;
      case Column::bytes: return row.bytes;
      case Column::total: return slow.total();
      case Column::mean: return slow.mean();
      case Column::p50: return slow.quantile(0.5);
      case Column::p90: return slow.quantile(0.9);
      case Column::p99: return slow.quantile(0.99);
      case Column::p999: return slow.quantile(0.999);
      case Column::max: return slow.max();
    }
    return 0;
  };
  return static_cast<double>(number());
}

// Whether the column's change is more than what two runs of the same program differ by.
bool is_more_than_noise(const DiffRow& row, Column column) {
  const Noise& n = row.noise;
  switch (column) {
    case Column::calls:
    case Column::bytes: return n.calls || !row.a.calls != !row.b.calls;
    case Column::errors: return n.errors || !row.a.errors != !row.b.errors;
    case Column::total: return n.times || n.tail || n.calls;
    case Column::mean:
    case Column::p50: return n.times;
    case Column::p90: return n.times || n.tail;
    case Column::p99:
    case Column::p999:
    case Column::max: return n.tail || n.times;
  }
  return false;
}

std::string shown(double value, Column column) {
  if (!is_time(column)) return fmt::format("{:.0f}", value);
  if (value < 1000) return fmt::format("{:.0f} ns", value);
  if (value < 1e6) return fmt::format("{:.1f} us", value / 1e3);
  if (value < 1e9) return fmt::format("{:.1f} ms", value / 1e6);
  return fmt::format("{:.3f} s", value / 1e9);
}

double factor_of(std::string_view unit, const Condition& c) {
  if (unit.empty() && !is_time(c.column)) return 1;
  if (unit.empty() && c.limit == 0) return 1;
  if (unit.empty())
    wrong(c.text, fmt::format("column {} is a time: say %, ns, us, ms or s", c.column_name));
  const double factor = unit == "ns"   ? 1
                        : unit == "us" ? 1e3
                        : unit == "ms" ? 1e6
                        : unit == "s"  ? 1e9
                                       : 0;
  if (!factor) wrong(c.text, fmt::format("`{}` is no unit: %, ns, us, ms or s", unit));
  if (!is_time(c.column))
    wrong(c.text, fmt::format("column {} is a number, not a time: `{}`", c.column_name, unit));
  return factor;
}

void read_limit(std::string_view rest, Condition& c) {
  const bool plus = rest.starts_with('+'), minus = rest.starts_with('-');
  c.change = plus || minus;
  if (c.change) rest.remove_prefix(1);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), c.limit);
  if (error != std::errc() || !std::isfinite(c.limit) || c.limit < 0)
    wrong(c.text, fmt::format("`{}` behind column {} is no number", rest, c.column_name));
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  c.percent = rest == "%";
  if (c.percent)
    c.change = true;
  else
    c.limit *= factor_of(rest, c);
  if (minus) c.limit = -c.limit;
}

bool exceeds(const Condition& c, double value) {
  if (c.or_equal && value == c.limit) return true;
  return c.above ? value > c.limit : value < c.limit;
}

// Empty: it holds no difference that the condition is about.
std::string broken_by(const Condition& c, const DiffRow& row) {
  const double a = value(row.a, c.column), b = value(row.b, c.column);
  const bool compared = row.a.calls && row.b.calls;
  if (!c.change) {
    if (!row.b.calls && is_time(c.column)) return {};
    if (!exceeds(c, b)) return {};
    return fmt::format("{}: {} is {} ({})", row.name, c.column_name, shown(b, c.column), c.text);
  }
  if (!compared && is_time(c.column) && c.column != Column::total) return {};
  if (!is_more_than_noise(row, c.column)) return {};
  const double change = !c.percent ? b - a : a > 0 ? 100 * (b / a - 1) : b > 0 ? HUGE_VAL : 0;
  if (!exceeds(c, change)) return {};
  const std::string by =
      std::isfinite(change) && a > 0 ? fmt::format(", {:+.1f} %", 100 * (b / a - 1)) : "";
  return fmt::format("{}: {} went from {} to {}{} ({})", row.name, c.column_name,
                     shown(a, c.column), shown(b, c.column), by, c.text);
}

}  // namespace

Condition condition_of(std::string_view text) {
  Condition c;
  c.text = text;
  const size_t sign = text.find_first_of("<>");
  if (sign == text.npos) wrong(text, "no < or > in it; for example p99>+10%");
  std::string_view name = text.substr(0, sign);
  if (const size_t colon = name.find(':'); colon != name.npos) {
    c.call = name.substr(0, colon);
    name.remove_prefix(colon + 1);
    if (c.call.empty()) wrong(text, "no call in front of the colon");
  }
  const Named* found = nullptr;
  for (const Named& one : columns)
    if (one.name == name) found = &one;
  if (!found)
    wrong(text, fmt::format("no column `{}`: calls, errors, bytes, total, mean, p50, p90, p99, "
                            "p99.9 or max",
                            name));
  c.column = found->column;
  c.column_name = name;
  c.above = text[sign] == '>';
  std::string_view rest = text.substr(sign + 1);
  c.or_equal = rest.starts_with('=');
  if (c.or_equal) rest.remove_prefix(1);
  read_limit(rest, c);
  return c;
}

std::vector<std::string> broken(const Condition& c, const Diff& diff) {
  std::vector<std::string> all;
  const auto look = [&](const DiffRow& row) {
    if (!c.call.empty() && c.call != row.name) return;
    if (std::string line = broken_by(c, row); !line.empty()) all.push_back(std::move(line));
  };
  for (const DiffRow& row : diff.rows) look(row);
  look(diff.total);
  return all;
}

}  // namespace sctrace
