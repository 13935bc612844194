// Sums over time for the report: how busy a thread was in each part of the run, and how slow calls
// were when.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sctrace {

// Parts of the run, of the same length. Of each: calls that began in it, time spent in calls
// that wait and in others.
class BusyBins {
 public:
  BusyBins() = default;
  BusyBins(uint64_t first, uint64_t last, size_t count)
      : first_(first), width_((last - first) / count + 1), bins_(count) {}
  void add(uint64_t began, uint64_t finished, bool waiting);
  uint64_t width() const { return width_; }
  std::string json() const;  // [bin, calls, ns waiting, ns otherwise, bin, …] of those not empty

 private:
  struct Bin {
    uint64_t calls = 0, waiting = 0, other = 0;
  };
  uint64_t first_ = 0, width_ = 1;
  std::vector<Bin> bins_;
};

// Calls by the time when they ended and by how long they took, in half doublings.
class HeatMap {
 public:
  static constexpr size_t columns = 400;
  HeatMap(uint64_t first, uint64_t last) : first_(first), width_((last - first) / columns + 1) {}
  void add(uint32_t call, uint64_t finished, uint64_t ns);
  // {"columns", "ns_column", "all": [column, row, calls, …], "by": {call: …}}; row n holds what
  // took from 2^(n/2) ns on. Of single calls only the ones that are most.
  std::string json(const std::vector<std::string>& names) const;

 private:
  using Cells = std::map<uint32_t, uint64_t>;  // column << 8 | row
  uint64_t first_, width_;
  std::map<uint32_t, Cells> by_call_;
};

}  // namespace sctrace
