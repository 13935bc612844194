// The summary: calls, errors and time by system call. Latencies are kept as a histogram of 1 %
// steps, so memory does not grow with the trace. groups.h counts by other things than the call,
// counts_table.h shows the rows.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>
#include "formats/read/counters.h"
#include "formats/read/timeline.h"

namespace sctrace {

// Durations in ns. Exact below 128, from there on within 1/128.
class Latencies {
 public:
  void add(uint64_t ns);
  void add(const Latencies& other);
  // Of many only this: so many of them took no longer than so long; and their sum and bounds.
  struct Step {
    uint64_t ns, calls;
  };
  void add(const std::vector<Step>& steps, uint64_t total, uint64_t min, uint64_t max);
  uint64_t quantile(double q) const;  // 0.5: half of them were no longer than this
  uint64_t min() const { return count_ ? min_ : 0; }
  uint64_t max() const { return max_; }
  uint64_t mean() const { return count_ ? total_ / count_ : 0; }
  uint64_t total() const { return total_; }
  uint64_t count() const { return count_; }
  // The histogram itself: how many took no longer than step_end(n), and longer than the step
  // before it.
  std::vector<uint32_t> steps() const;
  static uint64_t step_end(size_t step);

 private:
  void count(size_t step, uint64_t calls);
  uint32_t& at(size_t step);
  // The steps of the first calls, in the order that they came in; nothing once there are octaves:
  // there may be a row for each of a hundred thousand paths, and most have few.
  std::vector<uint16_t> few_;
  // By powers of two, those without a call empty, as the durations of most are of two or three.
  std::vector<std::vector<uint32_t>> octaves_;
  uint64_t count_ = 0, total_ = 0, min_ = ~0ull, max_ = 0;
};

struct Count {
  std::string name;
  uint64_t calls = 0;       // that came back
  uint64_t errors = 0;      // of these
  uint64_t unfinished = 0;  // that did not
  uint64_t bytes = 0;       // moved by calls that return a number of bytes
  Latencies latencies;
  std::map<uint32_t, uint64_t> errors_by;              // errno → how many of the errors
  void add(uint32_t nr, int64_t result, uint64_t ns);  // one that came back
  void add(const Count& other);
  void add(const read::Counted& counted, const read::Clock& clock);
};

class Counts {
 public:
  Counts() = default;
  Counts(Counts&&) = default;  // no copy: known_ points into by_number_
  Counts& operator=(Counts&&) = default;
  void entered(uint32_t nr) { ++of(nr).unfinished; }  // until it leaves
  void left(uint32_t nr, int64_t result, uint64_t ns) {
    Count& count = of(nr);
    --count.unfinished;
    count.add(nr, result, ns);
  }
  void add(const Counts& other);
  void add(const read::Item& item);
  void came_back(const read::Call& call, uint64_t overhead = 0);  // ns taken off its time
  void add(const read::Counted& counted, const read::Clock& clock);
  std::vector<Count> rows() const;  // by time, longest first
  std::vector<Count> by_number() const;

 private:
  Count& of(uint32_t nr) {
    if (nr >= known_.size()) return by_number_[nr];
    return known_[nr] ? *known_[nr] : *(known_[nr] = &by_number_[nr]);
  }
  std::map<uint32_t, Count> by_number_;
  std::array<Count*, 512> known_{};  // without a search: the numbers that there are
};

std::string name_of_call(uint32_t nr);  // read; syscall_0x1f4 where the table has no name

}  // namespace sctrace
