// What each record means to CallScan: the second half of call_scan.h, which includes it.
#pragma once
#include <algorithm>
#include <cstring>

#include "formats/read/call_scan.h"

namespace sctrace::read {

template <class Listener>
void CallScan<Listener>::on_entry(const wire::Header& header, const uint8_t* bytes) {
  uint16_t nr, site;
  std::memcpy(&nr, bytes + offsetof(wire::Entry, nr), sizeof nr);
  std::memcpy(&site, bytes + offsetof(wire::Entry, site), sizeof site);
  uint32_t number = nr;
  if (nr == wire::nr_escape) [[unlikely]] {
    const uint8_t* at = bytes + sizeof(wire::Entry) + (header.flags & wire::entry_far ? 8 : 0);
    for (int n = 0; n < site >> wire::argc_shift; ++n) at += header.flags >> n & 1 ? 8 : 4;
    std::memcpy(&number, at, sizeof number);
  }
  const size_t queued = queued_ + 1;
  decide();
  auto& self = calls_.of(pid_, tid_);
  if (!self.open.empty()) [[unlikely]] {
    const auto bytes_of = [&] {
      uint64_t all = 0;
      for (const Frame& frame : self.open) all += frame.bytes;
      return all;
    };
    const uint64_t before = bytes_of();
    calls_.make_room(self);
    bytes_ -= before - bytes_of();
  }
  entry_ = {.number = number, .began = at_, .place = ++places_};
  entry_.left_out = is_ending(number, header.flags, site >> wire::argc_shift);
  self.open.push_back(entry_);
  held_ = Held::entry;
  queued_ = 1;
  entry_when_ = now_, entry_pid_ = pid_;
  if (queued > look_ahead) [[unlikely]]
    decide();
}

template <class Listener>
void CallScan<Listener>::on_exit(const wire::Header& header, const uint8_t* bytes) {
  auto& open = calls_.of(pid_, tid_).open;
  if (open.size() > 1) [[unlikely]]
    calls_.leave_handlers(open);
  if (open.empty()) [[unlikely]] {
    ++orphans;
    return;
  }
  const Frame frame = open.back();
  open.pop_back();
  bytes_ -= frame.bytes;
  if (header.flags & wire::exit_cancelled) [[unlikely]] {
    drop(frame.place);
    return decide();
  }
  if (header.flags & wire::exit_filtered && drop(frame.place)) return decide();
  decide();
  if (frame.left_out) [[unlikely]]
    return;
  int64_t result;
  std::memcpy(&result, bytes + offsetof(wire::Exit, result), sizeof result);
  tell_.left(frame.number, pid_, result, std::max(frame.began, at_) - frame.began, now_);
  tell_.happened(pid_, now_);
}

template <class Listener>
void CallScan<Listener>::on_memory(uint64_t bytes) {
  auto& open = calls_.of(pid_, tid_).open;
  if (open.empty()) return;
  open.back().bytes += bytes;
  bytes_ += bytes;
  heaviest = std::max(heaviest, open.back().bytes);
  held_most = std::max(held_most, bytes_);
}

template <class Listener>
void CallScan<Listener>::decide() {
  if (held_ == Held::entry) {
    if (entry_.left_out) [[unlikely]]
      tell_.ending(entry_.number, entry_pid_, entry_.began, entry_when_);
    else
      tell_.entered(entry_.number, entry_pid_, entry_.began, entry_when_);
    tell_.happened(entry_pid_, entry_when_);
  }
  if (queued_ > (held_ == Held::nothing ? 0 : 1)) [[unlikely]] {
    tell_.happened(behind_pid_, behind_first_);
    tell_.happened(behind_pid_, behind_last_);
  }
  held_ = Held::nothing;
  queued_ = 0;
}

// The call was never made: its entry disappears, unless so much happened since that it has been
// told.
template <class Listener>
bool CallScan<Listener>::drop(uint64_t place) {
  if (held_ != Held::entry || entry_.place != place) return false;
  held_ = Held::nothing;
  --queued_;
  return true;
}

template <class Listener>
void CallScan<Listener>::on_signal() {
  if (held_ == Held::nothing) {
    tell_.happened(pid_, now_);
  } else {
    if (queued_ == 1) behind_first_ = now_;
    behind_last_ = now_, behind_pid_ = pid_;
    if (++queued_ > look_ahead) decide();
  }
  auto& open = calls_.of(pid_, tid_).open;
  calls_.leave_handlers(open);
  if (!open.empty()) open.back().interrupted = true;
}

template <class Listener>
void CallScan<Listener>::on_thread(const uint8_t* bytes) {
  const size_t queued = queued_ + 1;
  decide();
  wire::Thread record;
  std::memcpy(static_cast<void*>(&record), bytes, sizeof record);
  calls_.begin(record.pid, record.tid, record.began);
  bytes_ = 0;
  for (const auto& owner : calls_.owners())
    for (const Frame& frame : owner.open) bytes_ += frame.bytes;
  pid_ = record.pid, tid_ = record.tid;
  tell_.began(record, now_);
  tell_.happened(pid_, now_);
  if (queued <= look_ahead) held_ = Held::thread, queued_ = 1;
}

template <class Listener>
void CallScan<Listener>::on_block(const Step& step) {
  pid_ = step.pid, tid_ = step.tid;
  tell_lost(step.lost);
}

template <class Listener>
void CallScan<Listener>::tell_lost(uint64_t so_far) {
  if (const auto calls = losses.before_block(so_far, image_->image.slots[slot_].lost))
    on_lost(*calls);
}

template <class Listener>
void CallScan<Listener>::on_lost(uint64_t calls) {
  decide();
  losses.add(calls);
  tell_.happened(pid_, now_);
}

template <class Listener>
void CallScan<Listener>::on_end() {
  decide();
  tell_lost(image_->image.slots[slot_].lost);
  calls_.end();
}

}  // namespace sctrace::read
