// A trace that is cut into parts while its programs run: what is in the data files is moved to a
// trace of its own, DIRECTORY.1, DIRECTORY.2, …, and the rings go on. The programs are not asked: a
// thread opens its data file by name for each block. One that had it open just then writes into the
// file that was moved, and is waited for: for a second no other part is made (settle). What is
// still in the rings belongs to the next part; counters run on from the beginning. Several may do
// so at once (`record --rotate`, `ctl rotate`): one at a time.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

namespace sctrace {

class Rotation {
 public:
  static constexpr std::chrono::seconds late{1};  // until then blocks may come to the newest part
  // A part has `bytes` at least; of the parts the newest `keep` stay, 0: all.
  Rotation(std::string directory, uint64_t bytes, uint64_t keep)
      : directory_(std::move(directory)), bytes_(bytes), keep_(keep) {}

  // Is it time? Throws read::BadTrace; then all is in one of the two places.
  bool look();
  // Now, whatever there is: false where that is nothing, or the newest part is not settled yet.
  bool cut();
  bool is_settled() const;
  void settle();  // blocks that came late to the newest part are made part of it
  const std::string& newest() const { return parts_.back(); }

 private:
  std::string part_named(uint64_t number) const;
  uint64_t written() const;
  void rotate();
  void settle_newest();
  std::string directory_;
  uint64_t bytes_, keep_, before_ = 0;
  std::chrono::steady_clock::time_point made_{};
  std::deque<std::string> parts_;
};

}  // namespace sctrace
