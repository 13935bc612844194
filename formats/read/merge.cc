#include "formats/read/merge.h"

#include <algorithm>
#include <utility>

#include "arch/table.h"
#include "formats/read/table.h"

namespace sctrace::read {

namespace {
void add(Losses& to, const CallReader& from) {
  to.calls += from.losses.lost;
  to.gaps += from.losses.gaps;
  to.rolled_over += from.losses.rolled_over;
  to.orphans += from.orphans;
  to.unfinished += from.unfinished();
}
}  // namespace

Timeline::Merge::Merge(const Trace& trace, bool live) : trace_(trace), live_(live) {
  use(trace.table());
  add_streams();
}

// Those of images and rings that were not there before.
void Timeline::Merge::add_streams() {
  images_.resize(trace_.images().size());
  known_.resize(images_.size());
  for (uint32_t image = 0; image < images_.size(); ++image) {
    const Image& from = trace_.images()[image];
    for (uint32_t& slot = known_[image]; slot < from.slots.size(); ++slot) {
      const uint32_t pid = from.slots[slot].pid;
      // Nothing in an image is older than the image, so its files stay closed until then.
      turns_.push({trace_.clock().ns(from.first.tsc), static_cast<uint32_t>(streams_.size())});
      Stream& stream = streams_.emplace_back();
      stream.image = image, stream.slot = slot, stream.pid = pid;
      expect(pid);
    }
  }
}

void Timeline::Merge::wake(uint32_t number) {
  constexpr uint32_t patience = 2;  // looks at a call that may be waiting
  Stream& stream = streams_[number];
  if (!stream.waits) return;
  if (++stream.silent == patience) stream.calls->settle();
  if (!refill(stream)) return;
  stream.silent = 0;
  turns_.push({stream.head.when, number});
}

void Timeline::Merge::grow(uint64_t until) {
  until_ = until;
  add_streams();
  for (uint32_t number = 0; number < streams_.size(); ++number) {
    if (streams_[number].calls) streams_[number].calls->grow();
    wake(number);
  }
}

void Timeline::Merge::finish() {
  until_ = UINT64_MAX;
  live_ = false;
  for (uint32_t number = 0; number < streams_.size(); ++number) {
    if (streams_[number].calls) streams_[number].calls->finish();
    wake(number);
  }
}

void Timeline::Merge::forget(uint32_t pid) {
  const auto found = expected_.find(pid);
  if (found != expected_.end() && --found->second == 0) expected_.erase(found);
}

void Timeline::Merge::open(Stream& stream) {
  std::shared_ptr<OpenImage> image = images_[stream.image].lock();
  if (!image) {
    const Image& from = trace_.images()[stream.image];
    image = std::make_shared<OpenImage>(from, damages_, live_ ? from.slots_most : 0);
    images_[stream.image] = image;
  }
  stream.calls = std::make_unique<CallReader>(std::move(image), stream.slot, trace_.clock(), pool_);
  if (live_) stream.calls->grow();
  stream.opened = true;
}

// The stream's next event into its head; false and closed at its end.
bool Timeline::Merge::refill(Stream& stream) {
  const bool expected = !stream.waits;
  stream.waits = false;
  if (stream.calls->next(stream.head)) {
    if (expected && stream.pid == stream.head.pid) return true;
    if (expected) forget(stream.pid);
    stream.pid = stream.head.pid;
    expect(stream.pid);
    return true;
  }
  if (expected) forget(stream.pid);
  stream.head = {};
  if (live_) return stream.waits = true, false;
  add(done_, *stream.calls);
  stream.calls.reset();
  return false;
}

// Takes the oldest event of all streams. False: there is none.
bool Timeline::Merge::step() {
  if (again_ == nobody && (turns_.empty() || turns_.top().when > until_)) return false;
  const uint32_t number = again_ == nobody ? turns_.top().stream : again_;
  if (again_ == nobody) turns_.pop();
  again_ = nobody;
  Stream& stream = streams_[number];
  Event event;
  const bool had = stream.opened;
  if (had)
    event = std::move(stream.head);
  else
    open(stream);
  if (refill(stream)) {
    const Turn turn{stream.head.when, number};
    if (turn.when <= until_ && (turns_.empty() || turns_.top() > turn))
      again_ = number;
    else
      turns_.push(turn);
  }
  if (had) {
    const Event& after = stream.head;
    event.returns_next = again_ == number && event.kind == Item::Kind::enter &&
                         after.kind == Item::Kind::leave && after.call == event.call &&
                         after.pid == event.pid;  // so no process is gone in between
    take(std::move(event));
  }
  tell_gone();
  return true;
}

void Timeline::Merge::take(Event event) {
  now_ = std::max(now_, event.when);
  event.when = now_;
  if (event.kind == Item::Kind::enter) on_enter(event);
  if (event.kind == Item::Kind::thread) on_thread(event);
  if (event.kind == Item::Kind::leave && is_exec(event.call->nr)) execs_.erase(event.pid);
  if (event.call && event.call->left_out) {
    if (event.kind == Item::Kind::leave) return;  // refused: it did not end
    event.kind = Item::Kind::ending;
    event.returns_next = false;
  }
  ready_.push_back(std::move(event));
}

void Timeline::Merge::on_enter(const Event& event) {
  const uint32_t nr = event.call->nr;
  const bool ordinary = nr != arch::nr_exit && nr != arch::nr_exit_group && !is_exec(nr);
  if (ordinary && event.pid == last_pid_ && event.tid == last_tid_) return;
  auto& threads = threads_[event.pid];
  if (nr == arch::nr_exit)
    threads.erase(event.tid), last_tid_ = 0;
  else
    threads.insert(event.tid), last_pid_ = event.pid, last_tid_ = event.tid;
  if (is_exec(nr)) execs_[event.pid] = event.call;
  if (nr == arch::nr_exit_group || (nr == arch::nr_exit && threads.empty()))
    leaving_[event.pid] = event.call;
}

// A new program where an exec was open: that is how an exec comes back.
void Timeline::Merge::on_thread(const Event& event) {
  last_tid_ = 0;
  auto& threads = threads_[event.pid];
  if (event.thread->began == wire::Began::exec || event.thread->began == wire::Began::image) {
    threads.clear();
    const auto found = execs_.find(event.pid);
    if (found != execs_.end()) {
      Event back;
      back.kind = Item::Kind::leave;
      back.when = now_;
      back.call = std::move(found->second);
      back.pid = back.call->pid, back.tid = back.call->tid;
      back.call->ended = true;
      back.call->finished = now_;
      execs_.erase(found);
      ready_.push_back(std::move(back));
    }
  }
  if (event.thread->began == wire::Began::fork)
    leaving_.erase(event.pid), threads.clear();  // a pid used again
  threads.insert(event.tid);
}

// A process is gone when it said so and nothing of it is to come.
void Timeline::Merge::tell_gone() {
  for (auto one = leaving_.begin(); one != leaving_.end();) {
    if (expected_.count(one->first)) {
      ++one;
      continue;
    }
    Event gone;
    gone.kind = Item::Kind::gone;
    gone.when = now_;
    gone.pid = one->first, gone.tid = one->second->tid;
    gone.call = std::move(one->second);
    threads_.erase(gone.pid), last_tid_ = 0;
    execs_.erase(gone.pid);
    one = leaving_.erase(one);
    ready_.push_back(std::move(gone));
  }
}

bool Timeline::Merge::next(Item& item) {
  while (ready_.empty())
    if (!step()) return false;
  current_ = std::move(ready_.front());
  ready_.pop_front();
  item = {};
  item.kind = current_.kind;
  item.when = current_.when;
  item.call = current_.call.get();
  item.signal = current_.signal.get();
  item.thread = current_.thread.get();
  item.pid = current_.pid, item.tid = current_.tid;
  item.lost = current_.lost;
  item.returns_next = current_.returns_next;
  return true;
}

Losses Timeline::Merge::losses() const {
  Losses all = done_;
  for (const Stream& stream : streams_)
    if (stream.calls) add(all, *stream.calls);
  for (const Image& image : trace_.images())
    for (const Slot& slot : image.slots)
      all.cut += slot.cut, all.untraced += slot.untraced, all.inexact += slot.inexact;
  all.cut_here = pool_->budget.cut;
  all.damaged = trace_.damages().count + damages_.count;
  all.clock_uncertain = trace_.clock().is_uncertain();
  return all;
}

}  // namespace sctrace::read
