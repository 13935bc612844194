#include "formats/report_sums.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "formats/json.h"

namespace sctrace {

namespace {

constexpr size_t calls_shown = 24;  // with a heat map of their own

std::string cells_json(const std::map<uint32_t, uint64_t>& cells) {
  std::string all = "[";
  for (const auto& [cell, n] : cells)
    fmt::format_to(std::back_inserter(all), "{}{},{},{}", all.size() > 1 ? "," : "", cell >> 8,
                   cell & 255, n);
  return all + "]";
}

// 0 and 1 ns: 0; then a row from 2^(n/2) on.
uint32_t row_of(uint64_t ns) {
  if (ns < 2) return 0;
  const auto power = static_cast<uint32_t>(std::bit_width(ns)) - 1;
  // Its square root of two is passed when the square is twice the power's: compare halves.
  const auto fraction = static_cast<double>(ns) / static_cast<double>(uint64_t{1} << power);
  return power * 2 + (fraction >= 1.4142135623730951 ? 1 : 0);
}

}  // namespace

void BusyBins::add(uint64_t began, uint64_t finished, bool waiting) {
  if (bins_.empty()) return;
  const uint64_t from = std::max(began, first_) - first_, to = std::max(finished, first_) - first_;
  size_t bin = std::min<size_t>(from / width_, bins_.size() - 1);
  ++bins_[bin].calls;
  for (uint64_t at = from; at < to && bin < bins_.size(); ++bin) {
    const uint64_t end = std::min(to, (bin + 1) * width_);
    (waiting ? bins_[bin].waiting : bins_[bin].other) += end - at;
    at = end;
  }
}

std::string BusyBins::json() const {
  std::string all = "[";
  for (size_t n = 0; n < bins_.size(); ++n) {
    const Bin& bin = bins_[n];
    if (!bin.calls && !bin.waiting && !bin.other) continue;
    fmt::format_to(std::back_inserter(all), "{}{},{},{},{}", all.size() > 1 ? "," : "", n,
                   bin.calls, bin.waiting, bin.other);
  }
  return all + "]";
}

void HeatMap::add(uint32_t call, uint64_t finished, uint64_t ns) {
  const uint64_t column =
      std::min<uint64_t>((std::max(finished, first_) - first_) / width_, columns - 1);
  ++by_call_[call][static_cast<uint32_t>(column) << 8 | row_of(ns)];
}

std::string HeatMap::json(const std::vector<std::string>& names) const {
  Cells all;
  std::vector<std::pair<uint64_t, uint32_t>> most;
  for (const auto& [call, cells] : by_call_) {
    uint64_t n = 0;
    for (const auto& [cell, count] : cells) all[cell] += count, n += count;
    most.emplace_back(n, call);
  }
  std::sort(most.begin(), most.end(), std::greater<>());
  if (most.size() > calls_shown) most.resize(calls_shown);
  std::string by;
  for (const auto& [n, call] : most)
    by += fmt::format("{}{}:{}", by.empty() ? "" : ",", json_text(names[call]),
                      cells_json(by_call_.at(call)));
  return fmt::format("{{\"columns\":{},\"ns_column\":{},\"all\":{},\"by\":{{{}}}}}", columns,
                     width_, cells_json(all), by);
}

}  // namespace sctrace
