// Virtual processors: formats that arrange things by CPU get one for each thread that lives, the
// lowest that is free. Which CPU a thread ran on is not in a trace.
#pragma once
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace sctrace {

class Slots {
 public:
  // For a thread born at `when`. One that is free but was used later than that stays free: what
  // happens on a slot is in the order of time.
  uint32_t take(uint32_t pid, uint32_t tid, uint64_t when) {
    for (uint32_t n = 0; n < slots_.size(); ++n)
      if (slots_[n].free && slots_[n].until <= when) return use(n, pid, tid);
    slots_.push_back({});
    return use(static_cast<uint32_t>(slots_.size()) - 1, pid, tid);
  }

  uint32_t of(uint32_t pid, uint32_t tid) {
    if (last_ < slots_.size() && !slots_[last_].free && slots_[last_].pid == pid &&
        slots_[last_].tid == tid)
      return last_;
    const auto found = of_.find({pid, tid});
    return last_ = found == of_.end() ? take(pid, tid, ~uint64_t{0}) : found->second;
  }

  void give(uint32_t pid, uint32_t tid, uint64_t when) {
    const auto found = of_.find({pid, tid});
    if (found == of_.end()) return;
    slots_[found->second].free = true;
    slots_[found->second].until = when;
    of_.erase(found);
  }

  // Threads of a process, with their slots: it died.
  std::vector<std::pair<uint32_t, uint32_t>> threads(uint32_t pid) const {
    std::vector<std::pair<uint32_t, uint32_t>> all;
    for (auto one = of_.lower_bound({pid, 0}); one != of_.end() && one->first.first == pid; ++one)
      all.emplace_back(one->first.second, one->second);
    return all;
  }

  uint32_t count() const { return static_cast<uint32_t>(slots_.size()); }

 private:
  struct Slot {
    bool free = true;
    uint32_t pid = 0, tid = 0;
    uint64_t until = 0;
  };

  uint32_t use(uint32_t n, uint32_t pid, uint32_t tid) {
    slots_[n] = {.free = false, .pid = pid, .tid = tid, .until = 0};
    return of_[{pid, tid}] = n;
  }

  std::vector<Slot> slots_;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> of_;  // pid and tid → slot
  uint32_t last_ = 0;
};

}  // namespace sctrace
