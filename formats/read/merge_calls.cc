#include "formats/read/merge_calls.h"

#include <algorithm>
#include <cstring>

#include "arch/table.h"

namespace sctrace::read {

namespace {

template <class Record>
Record as(const Step& step) {
  Record record;
  std::memcpy(static_cast<void*>(&record), step.bytes.data(),
              sizeof record);  // sizes: wrong_with()
  return record;
}
}  // namespace

CallReader::CallReader(std::shared_ptr<OpenImage> image, uint32_t slot, const Clock& clock,
                       std::shared_ptr<CallPool> pool)
    : image_(image),
      slot_(slot),
      clock_(clock),
      pool_(std::move(pool)),
      reader_(std::move(image), slot) {}

bool CallReader::next(Event& event) {
  while (events_.empty() || events_.front().undecided)
    if (!advance()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  return true;
}

void CallReader::grow() {
  grows_ = true;
  reader_.grow(true);
}

void CallReader::finish() {
  grows_ = false;
  reader_.grow(false);
}

void CallReader::settle() { decide(); }

// One step of the ring. False: all is read and told.
bool CallReader::advance() {
  if (ended_) return false;
  const Step step = reader_.next();
  switch (step.kind) {
    case Step::Kind::block: on_block(step); break;
    case Step::Kind::record: on_record(step); break;
    case Step::Kind::gap:
      tell_signal();
      losses.gap(step.missing, step.rolled);
      decide();
      owners_.forget();
      break;
    case Step::Kind::end:
      tell_signal();
      if (grows_) return !events_.empty() && !events_.front().undecided;
      on_end();
      break;
  }
  if (events_.size() > look_ahead) decide();
  return !events_.empty() || !ended_;
}

void CallReader::on_block(const Step& step) {
  stacks_.clear();
  pid_ = step.pid, tid_ = step.tid;
  tell_lost(step.lost);
}

void CallReader::tell_lost(uint64_t so_far) {
  if (const auto calls = losses.before_block(so_far, image_->image.slots[slot_].lost))
    on_lost(*calls);
}

void CallReader::on_record(const Step& step) {
  const auto type = as<wire::Header>(step).type;
  if (type != wire::Type::stack && type != wire::Type::time) tell_signal(), after_signal_ = false;
  at_ = clock_.ns(step.tsc);
  now_ = std::max(now_, at_);
  switch (type) {
    case wire::Type::pad: break;
    case wire::Type::entry: on_entry(step); break;
    case wire::Type::exit: on_exit(step); break;
    case wire::Type::data: on_data(step); break;
    case wire::Type::thread: on_thread(step); break;
    case wire::Type::signal: on_signal(step); break;
    case wire::Type::lost: on_lost(as<wire::Lost>(step).calls); break;
    case wire::Type::time: break;
    case wire::Type::file: on_file(step); break;
    case wire::Type::altered: on_altered(step); break;
    case wire::Type::stack: on_stack(step); break;
  }
}

Event& CallReader::push(Item::Kind kind) {
  Event& event = events_.emplace_back();
  event.kind = kind;
  event.when = now_;
  event.pid = pid_, event.tid = tid_;
  return event;
}

void CallReader::on_entry(const Step& step) {
  decide();
  const auto entry = as<wire::Entry>(step);
  const uint8_t* at = step.bytes.data() + sizeof(wire::Entry);
  const auto take = [&at](auto& value) {
    std::memcpy(&value, at, sizeof value);
    at += sizeof value;
  };
  CallRef call = pool_->take();
  call->pid = pid_, call->tid = tid_;
  call->trap = entry.header.flags & wire::entry_trap;
  call->began = call->finished = at_;
  if (entry.header.flags & wire::entry_far)
    take(call->site);
  else
    call->site = image_->site(entry.site & wire::site_bits);
  const bool escaped = entry.nr == wire::nr_escape;
  call->argc = static_cast<uint8_t>(entry.site >> wire::argc_shift);
  for (uint8_t n = 0; n < call->argc; ++n) {
    uint32_t narrow = 0;
    if (entry.header.flags >> n & 1)
      take(call->args[n]);
    else
      take(narrow), call->args[n] = narrow;
  }
  call->nr = entry.nr;
  if (escaped) take(call->nr);
  call->left_out = is_ending(call->nr, entry.header.flags, call->argc);
  auto& self = owner();
  owners_.make_room(self);
  Event& event = push(Item::Kind::enter);
  event.call = call;
  event.undecided = true;
  self.open.push_back({.call = std::move(call)});
}

void CallReader::on_exit(const Step& step) {
  auto& open = owner().open;
  if (open.size() > 1) owners_.leave_handlers(open);
  if (open.empty()) {
    ++orphans;
    return;
  }
  const auto exit = as<wire::Exit>(step);
  const CallRef call = std::move(open.back().call);
  open.pop_back();
  if (exit.header.flags & wire::exit_cancelled) {
    drop(call.get());
    decide();
    return;
  }
  if (exit.header.flags & wire::exit_filtered && drop(call.get())) return;
  call->result = exit.result;
  call->how = exit.header.flags;
  call->finished = std::max(call->began, at_);
  call->ended = true;
  decide();
  push(Item::Kind::leave).call = call;
}

// The call was never made: its entry disappears, unless so much happened since that it has been
// shown.
bool CallReader::drop(const HeldCall* call) {
  const auto is_its = [call](const Event& event) { return event.call.get() == call; };
  const auto found = std::find_if(events_.begin(), events_.end(), is_its);
  if (found == events_.end()) return false;
  events_.erase(found);
  return true;
}

void CallReader::decide() {
  for (Event& event : events_) event.undecided = false;
}

void CallReader::on_signal(const Step& step) {
  const auto record = as<wire::Signal>(step);
  auto signal = std::make_shared<Signal>();
  signal->pid = pid_, signal->tid = tid_;
  signal->address = record.address;
  std::memcpy(signal->siginfo, record.siginfo, sizeof signal->siginfo);
  signal_ = std::move(signal);
  after_signal_ = true;
  auto& open = owner().open;
  owners_.leave_handlers(open);
  if (!open.empty()) open.back().interrupted = true;
}

void CallReader::tell_signal() {
  if (!signal_) return;
  Event& event = push(Item::Kind::signal);
  event.pid = signal_->pid, event.tid = signal_->tid;
  event.signal = std::move(signal_);
}

void CallReader::on_thread(const Step& step) {
  decide();
  const auto record = as<wire::Thread>(step);
  owners_.begin(record.pid, record.tid, record.began);
  pid_ = record.pid, tid_ = record.tid;
  Event& event = push(Item::Kind::thread);
  event.thread =
      std::make_unique<Thread>(Thread{record.pid, record.tid, record.parent, record.began, {}});
  event.undecided = true;  // file records may follow
}

void CallReader::on_lost(uint64_t calls) {
  decide();
  losses.add(calls);
  push(Item::Kind::lost).lost = calls;
}

void CallReader::on_end() {
  decide();
  tell_lost(image_->image.slots[slot_].lost);
  owners_.end();
  ended_ = true;
}

}  // namespace sctrace::read
