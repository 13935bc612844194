// All rings of a trace → one order of time, and what only shows when they are seen together: that
// an exec came back in the next image, and that a process ended. The inside of Timeline.
#pragma once
#include <memory>
#include <queue>
#include <set>
#include <unordered_map>
#include <vector>
#include "formats/read/merge_calls.h"

namespace sctrace::read {

class Timeline::Merge {
 public:
  explicit Merge(const Trace& trace, bool live = false);
  void grow(uint64_t until);
  void finish();
  bool next(Item& item);
  Losses losses() const;

 private:
  struct Stream {
    uint32_t image = 0, slot = 0;
    uint32_t pid = 0;  // of its next event, as far as known
    bool opened = false;
    bool waits = false;   // all that is known of it is read, and it is not among the expected
    uint32_t silent = 0;  // how often it was looked at for nothing
    std::unique_ptr<CallReader> calls;  // none once all is read: its window is freed
    Event head;
  };
  struct Turn {
    uint64_t when;
    uint32_t stream;
    bool operator>(const Turn& other) const {
      return when != other.when ? when > other.when : stream > other.stream;
    }
  };

  void add_streams();
  void wake(uint32_t number);
  bool step();
  void open(Stream& stream);
  bool refill(Stream& stream);
  void expect(uint32_t pid) { ++expected_[pid]; }
  void forget(uint32_t pid);
  void take(Event event);
  void on_enter(const Event& event);
  void on_thread(const Event& event);
  void tell_gone();

  const Trace& trace_;
  bool live_;
  uint64_t until_ = UINT64_MAX;
  Damages damages_;
  std::shared_ptr<CallPool> pool_ = std::make_shared<CallPool>();  // outlives what is below
  std::vector<Stream> streams_;
  std::vector<std::weak_ptr<OpenImage>> images_;
  std::vector<uint32_t> known_;  // by image: rings that have a stream
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;
  // The stream that is on from the turn before, if it is its turn again: nothing to queue.
  static constexpr uint32_t nobody = ~0u;
  uint32_t again_ = nobody;
  EventQueue ready_;
  Event current_;
  uint64_t now_ = 0;
  Losses done_;                                      // of streams that are all read
  std::unordered_map<uint32_t, uint32_t> expected_;  // pid → streams whose next event is its
  std::unordered_map<uint32_t, CallRef> execs_;      // pid → the execve it is in
  std::unordered_map<uint32_t, CallRef> leaving_;    // pid → the exit_group it made
  uint32_t last_pid_ = 0, last_tid_ = 0;  // of the entry before, whose thread is in threads_
  std::unordered_map<uint32_t, std::set<uint32_t>> threads_;  // pid → tids seen and not yet gone
};

}  // namespace sctrace::read
