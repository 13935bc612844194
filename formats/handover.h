// Hands things over to a thread of its own, in batches and in their order, so that who makes them
// and who uses them each have a processor. What the user throws comes out of the next push() or of
// end(). Without end(), what waits is thrown away.
#pragma once
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace sctrace {

template <class Thing>
class Handover {
 public:
  using Batch = std::vector<Thing>;
  explicit Handover(std::function<void(Batch&)> use)
      : use_(std::move(use)), thread_(&Handover::work, this) {}
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;
  ~Handover() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      waiting_.clear();  // nobody wants the rest
      closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  // `bytes`: what it holds, roughly. A batch is sent at 256 things or 1 MiB; four may wait.
  void push(Thing&& thing, size_t bytes = 0) { put(bytes, std::move(thing)); }
  // The same of what is made of these, where it shall stay: a Thing may be long.
  template <class... Parts>
  void put(size_t bytes, Parts&&... parts) {
    constexpr size_t most = 256, most_bytes = 1 << 20;
    filling_.emplace_back(std::forward<Parts>(parts)...);
    bytes_ += bytes;
    if (filling_.size() >= most || bytes_ > most_bytes) send();
  }

  // The user had more to do than the maker when the last batch was sent: who may do a thing on
  // either side does it on this one.
  bool is_behind() const { return behind_; }

  void end() {
    send();
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
    if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
  }

 private:
  void send() {
    constexpr size_t most_waiting = 4;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failed_ || waiting_.size() < most_waiting; });
    if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
    waiting_.push_back(std::move(filling_));
    filling_ = Batch();
    if (!empty_.empty()) {
      filling_ = std::move(empty_.back());
      empty_.pop_back();
    }
    bytes_ = 0;
    behind_ = waiting_.size() > most_waiting / 2;
    lock.unlock();
    changed_.notify_all();
  }

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      Batch batch = std::move(waiting_.front());
      waiting_.erase(waiting_.begin());
      lock.unlock();
      changed_.notify_all();
      try {
        use_(batch);
      } catch (...) {
        const std::lock_guard again(mutex_);
        failed_ = std::current_exception();
        waiting_.clear();
        changed_.notify_all();
        return;
      }
      batch.clear();
      const std::lock_guard again(mutex_);
      empty_.push_back(std::move(batch));
    }
  }

  std::function<void(Batch&)> use_;
  Batch filling_;
  size_t bytes_ = 0;
  bool behind_ = false;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::vector<Batch> waiting_, empty_;
  std::exception_ptr failed_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace sctrace
