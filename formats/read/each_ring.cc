#include "formats/read/each_ring.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

namespace sctrace::read {

namespace {

// What one worker takes at a time: rings of one image, so that few open it twice.
struct Share {
  size_t first = 0, end = 0;
};

constexpr uint64_t share_bytes = 4 << 20;

uint64_t bytes_of_ring(const Image& image, uint32_t slot) {
  const Slot& one = image.slots[slot];
  return image.mode == wire::Mode::overwrite ? std::min(one.head, image.ring_bytes) : one.head;
}

std::vector<Share> shares_of(const Trace& trace, std::vector<RingTask>& tasks) {
  std::vector<Share> shares;
  for (uint32_t image = 0; image < trace.images().size(); ++image) {
    const Image& from = trace.images()[image];
    uint64_t bytes = share_bytes;
    for (uint32_t slot = 0; slot < from.slots.size(); ++slot) {
      if (bytes >= share_bytes) shares.push_back({tasks.size(), tasks.size()}), bytes = 0;
      bytes += bytes_of_ring(from, slot);
      tasks.push_back({.image = image, .slot = slot, .damages = {}, .failed = nullptr});
      shares.back().end = tasks.size();
    }
  }
  return shares;
}

uint64_t bytes_of_rings(const Trace& trace) {
  uint64_t bytes = 0;
  for (const Image& image : trace.images())
    for (uint32_t slot = 0; slot < image.slots.size(); ++slot) bytes += bytes_of_ring(image, slot);
  return bytes;
}

// How much all workers have read, for who wants to know.
class Progress {
 public:
  Progress(const Trace& trace, const std::function<void(double)>& tell)
      : tell_(tell), whole_(static_cast<double>(bytes_of_rings(trace))) {}
  bool is_wanted() const { return tell_ != nullptr; }
  void add(uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    read_ += bytes;
    tell_(static_cast<double>(read_) / whole_);
  }

 private:
  const std::function<void(double)>& tell_;
  double whole_;
  std::mutex mutex_;
  uint64_t read_ = 0;
};

class Worker {
 public:
  Worker(const Trace& trace, unsigned number, const RingWork& work, Progress& progress)
      : trace_(trace), number_(number), work_(work), progress_(progress) {}

  void take(size_t number, RingTask& task) try {
    if (!open_ || image_ != task.image) {
      open_.reset();
      open_ = std::make_shared<OpenImage>(trace_.images()[task.image], damages_);
      if (progress_.is_wanted()) open_->on_block = [this](uint64_t bytes) { progress_.add(bytes); };
      image_ = task.image;
      if (task.slot) damages_ = {};
    }
    work_(number_, number, task, open_);
    task.damages = std::exchange(damages_, {});
  } catch (...) {
    task.failed = std::current_exception();
    task.damages = std::exchange(damages_, {});
  }

 private:
  const Trace& trace_;
  unsigned number_;
  const RingWork& work_;
  Progress& progress_;
  Damages damages_;
  uint32_t image_ = 0;
  std::shared_ptr<OpenImage> open_;
};

}  // namespace

unsigned ring_workers(const Trace& trace) {
  constexpr uint64_t little = 2 << 20;  // is read before a thread has begun
  constexpr unsigned most = 8;
  if (bytes_of_rings(trace) < little) return 1;
  return std::clamp(std::thread::hardware_concurrency(), 1u, most);
}

std::vector<RingTask> each_ring(const Trace& trace, const RingWork& work,
                                const std::function<void(double)>& tell) {
  Progress progress(trace, tell);
  std::vector<RingTask> tasks;
  const std::vector<Share> shares = shares_of(trace, tasks);
  std::atomic<size_t> next = 0;
  const auto serve = [&](unsigned number) {
    Worker worker(trace, number, work, progress);
    for (size_t share = next++; share < shares.size(); share = next++)
      for (size_t task = shares[share].first; task < shares[share].end; ++task)
        worker.take(task, tasks[task]);
  };
  std::vector<std::thread> others;
  const auto workers = static_cast<unsigned>(
      std::min<size_t>(ring_workers(trace), std::max<size_t>(shares.size(), 1)));
  for (unsigned number = 1; number < workers; ++number) others.emplace_back(serve, number);
  serve(0);
  for (std::thread& other : others) other.join();
  return tasks;
}

}  // namespace sctrace::read
