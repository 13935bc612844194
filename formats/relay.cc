#include "formats/relay.h"

#include <utility>

namespace sctrace {

namespace {
constexpr size_t batch_tellings = 256, batch_bytes = 1 << 20, most_waiting = 4;

template <class... Each>
struct Overloads : Each... {
  using Each::operator()...;
};
template <class... Each>
Overloads(Each...) -> Overloads<Each...>;  // clang 14 asks for it
}  // namespace

Relay::Relay(Sink& to, bool beside) : to_(to) {
  if (beside) thread_ = std::thread(&Relay::work, this);
}

Relay::~Relay() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    waiting_.clear();  // nobody wants the rest
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Relay::pass(Sink& to, const Telling& telling) {
  std::visit(
      Overloads{[&](const Entered& one) { to.enter(one.event); },
                [&](const Left& one) { to.leave(one.event); },
                [&](const Arrival& one) { to.signal(one); },
                [&](const Birth& one) { to.birth(one); }, [&](const Naming& one) { to.name(one); },
                [&](const Death& one) { to.death(one); }, [&](const Loss& one) { to.lost(one); }},
      telling);
}

void Relay::tell(Telling telling, size_t bytes) {
  if (!thread_.joinable()) return pass(to_, telling);
  filling_.push_back(std::move(telling));
  bytes_ += bytes;
  if (filling_.size() >= batch_tellings || bytes_ > batch_bytes) send();
}

void Relay::send() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failed_ || waiting_.size() < most_waiting; });
  if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
  waiting_.push_back(std::move(filling_));
  filling_ = {};
  if (!empty_.empty()) {
    filling_ = std::move(empty_.back());
    empty_.pop_back();
  }
  bytes_ = 0;
  lock.unlock();
  changed_.notify_all();
}

void Relay::end(const Losses& losses) {
  if (thread_.joinable()) {
    send();
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    thread_.join();
    if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
  }
  to_.end(losses);
}

void Relay::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Batch batch = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    lock.unlock();
    changed_.notify_all();
    try {
      for (const Telling& telling : batch) pass(to_, telling);
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

}  // namespace sctrace
