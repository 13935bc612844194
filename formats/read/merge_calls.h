// The records of one ring → whole calls. A thread that shares its ring (vfork) and handlers that
// interrupt a call keep their open calls apart. An entry is held back until it is known not to have
// been cancelled, which takes the next record or the end of the ring, so memory stays bounded.
#pragma once
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>
#include "formats/read/open_calls.h"
#include "formats/read/ring_losses.h"
#include "formats/read/ring_reader.h"
#include "formats/read/timeline.h"

namespace sctrace::read {

// How much captured memory may be held at once; what is beyond is cut and counted.
struct Budget {
  uint64_t per_call = uint64_t{64} << 20, all = uint64_t{1} << 30;
  uint64_t held = 0, cut = 0;
};

class CallPool;

// A call while it is read and told.
struct HeldCall : Call {
  CallPool* pool = nullptr;
  uint32_t holders = 0;
  uint64_t bytes = 0;  // of the budget
};

// Holds a call. Not for two threads.
class CallRef {
 public:
  CallRef() = default;
  explicit CallRef(HeldCall* call) : call_(call) { ++call_->holders; }
  CallRef(const CallRef& other) : call_(other.call_) {
    if (call_) ++call_->holders;
  }
  CallRef(CallRef&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
  CallRef& operator=(CallRef other) noexcept {
    std::swap(call_, other.call_);
    return *this;
  }
  ~CallRef();
  HeldCall* get() const { return call_; }
  HeldCall* operator->() const { return call_; }
  HeldCall& operator*() const { return *call_; }
  explicit operator bool() const { return call_ != nullptr; }
  bool operator==(const CallRef&) const = default;

 private:
  HeldCall* call_ = nullptr;
};

// Where calls come from and go back to, with what they had allocated: a reader has few at a time,
// and makes millions. Outlives all that it gave.
class CallPool {
 public:
  CallRef take();
  std::vector<uint8_t> bytes();  // empty, for a piece of memory
  void give_back(HeldCall* call);
  Budget budget;

 private:
  void keep(std::vector<Piece>& pieces);
  std::vector<std::unique_ptr<HeldCall>> calls_;
  std::vector<std::vector<uint8_t>> bytes_;
};

inline CallRef::~CallRef() {
  if (call_ && --call_->holders == 0) call_->pool->give_back(call_);
}

// An Item that owns what it points at.
struct Event {
  Item::Kind kind = Item::Kind::enter;
  uint64_t when = 0;
  uint32_t pid = 0, tid = 0;
  uint64_t lost = 0;
  bool returns_next = false;
  bool undecided = false;  // an entry that may yet turn out never to have been made
  CallRef call;
  std::shared_ptr<Signal> signal;
  std::unique_ptr<Thread> thread;
};

// First in, first out. What reads it empties it soon, so nothing is moved.
class EventQueue {
 public:
  bool empty() const { return first_ == events_.size(); }
  size_t size() const { return events_.size() - first_; }
  Event& front() { return events_[first_]; }
  Event& back() { return events_.back(); }
  auto begin() { return events_.begin() + static_cast<ptrdiff_t>(first_); }
  auto end() { return events_.end(); }
  Event& emplace_back() { return events_.emplace_back(); }
  void push_back(Event event) { events_.push_back(std::move(event)); }
  void pop_front() {
    if (++first_ == events_.size()) events_.clear(), first_ = 0;
  }
  void erase(std::vector<Event>::iterator at) {
    events_.erase(at);
    if (empty()) events_.clear(), first_ = 0;
  }

 private:
  std::vector<Event> events_;
  size_t first_ = 0;
};

class CallReader {
 public:
  CallReader(std::shared_ptr<OpenImage> image, uint32_t slot, const Clock& clock,
             std::shared_ptr<CallPool> pool);
  bool next(Event& event);
  void grow();    // false was not the end: the ring has come further
  void finish();  // now it is
  void settle();  // an entry that was held back is told: it seems to wait

  uint64_t unfinished() const { return owners_.unfinished; }
  RingLosses losses;
  uint64_t orphans = 0;

 private:
  struct Frame {
    CallRef call;
    bool interrupted = false;
    bool more = false;  // the last data record is continued by the next
    uint32_t nr() const { return call->nr; }
  };

  bool advance();
  void on_block(const Step& step);
  void on_record(const Step& step);
  void on_entry(const Step& step);
  void on_exit(const Step& step);
  void on_data(const Step& step);
  void on_signal(const Step& step);
  void tell_signal();
  void on_thread(const Step& step);
  void on_file(const Step& step);
  void on_altered(const Step& step);
  void on_stack(const Step& step);
  void tell_lost(uint64_t so_far);
  void on_lost(uint64_t calls);
  void on_end();
  void decide();
  bool drop(const HeldCall* call);
  OpenCalls<Frame>::Owner& owner() { return owners_.of(pid_, tid_); }
  Event& push(Item::Kind kind);

  std::shared_ptr<OpenImage> image_;
  uint32_t slot_;
  const Clock& clock_;
  std::shared_ptr<CallPool> pool_;
  RingReader reader_;
  EventQueue events_;
  OpenCalls<Frame> owners_;
  std::unordered_map<uint32_t, std::shared_ptr<const Stack>> stacks_;  // told in this block
  uint32_t pid_ = 0, tid_ = 0;
  std::shared_ptr<Signal> signal_;  // not told yet: its stack may follow
  bool after_signal_ = false;       // told or not
  uint64_t at_ = 0;                 // of the record at hand, as its stamp says
  uint64_t now_ = 0;  // the same for the order of time: never runs backwards within a ring
  bool ended_ = false, grows_ = false;
};

}  // namespace sctrace::read
