// The side of the hub that looks at slots: who asks, who has moved memory, who is gone.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "formats/device/hub.h"
#include "formats/device/packed.h"
#include "formats/device/placed.h"

namespace sctrace::device {

using wire::SlotState;
using wire::Stop;
using wire::Verdict;

namespace {
constexpr uint64_t most_moved = 64 << 20;  // by one get
constexpr uint64_t most_set = wire::control_set_most;
}  // namespace

void Hub::look(uint64_t now) {
  now_ = now;
  for (uint32_t word = 0; word < threads_.size() / 64; ++word) {
    if (!page_.asking[word].load(std::memory_order_relaxed)) continue;
    // seq_cst: pairs with the thread's fetch_or in preload/control.cc ring()
    for (uint64_t bits = page_.asking[word].exchange(0); bits; bits &= bits - 1)
      look_at(word * 64 + static_cast<uint32_t>(__builtin_ctzll(bits)));
  }
  if (const uint32_t lost = page_.lost.load(std::memory_order_relaxed); lost != lost_) {
    tell_all({.kind = Report::Kind::lost, .number = lost - lost_});
    lost_ = lost;
  }
}

void Hub::look_at(uint32_t slot) {
  // acquire: pairs with the thread's release in preload/control.cc ask()
  const SlotState state = page_.slots[slot].state.load(std::memory_order_acquire);
  if (state == SlotState::withdrawn) withdraw(slot);
  if (state != SlotState::asked) return;
  if (threads_[slot].transfer.phase != Transfer::Phase::none &&
      page_.slots[slot].stop == Stop::reply)
    take_reply(slot);
  else if (!threads_[slot].open)
    take(slot);
}

void Hub::take(uint32_t slot) {
  const wire::ControlSlot& from = page_.slots[slot];
  Thread& thread = threads_[slot];
  const Thread before = std::exchange(thread, {});
  thread.open = true, thread.stop = from.stop;
  thread.pid = from.pid, thread.tid = from.tid, thread.number = from.number;
  thread.result = from.result;
  std::copy(from.args, from.args + 6, thread.args);
  const size_t bytes = std::min<size_t>(from.bytes, sizeof from.data);
  switch (thread.stop) {
    case Stop::exit:  // outwards: the innermost first
      thread.steps = before.steps;
      thread.call = before.call;
      thread.call.ended = true, thread.call.result = thread.result;
      break;
    case Stop::signal:
      thread.info.assign(reinterpret_cast<const char*>(from.data), std::min<size_t>(bytes, 128));
      break;
    case Stop::entry: take_call(thread, from); break;
    default: return take_notice(slot);
  }
  ask_next(slot);
}

void Hub::take_call(Thread& thread, const wire::ControlSlot& from) {
  thread.asked = std::numeric_limits<int>::max();
  const size_t bytes = std::min<size_t>(from.bytes, sizeof from.data);
  const std::vector<uint8_t> data(from.data, from.data + bytes);
  if (!call_in(data.data(), data.size(), thread.call)) thread.call = {};
  thread.call.nr = thread.number;
  thread.call.pid = thread.pid, thread.call.tid = thread.tid;
  std::copy(thread.args, thread.args + 6, thread.call.args);
}

void Hub::take_notice(uint32_t slot) {
  Thread& thread = threads_[slot];
  const wire::ControlSlot& from = page_.slots[slot];
  Report report{.pid = thread.pid, .tid = thread.tid, .number = thread.number};
  const bool known =
      thread.stop == Stop::fork || thread.stop == Stop::exec || thread.stop == Stop::gone;
  report.kind = thread.stop == Stop::fork   ? Report::Kind::fork
                : thread.stop == Stop::exec ? Report::Kind::exec
                                            : Report::Kind::exit;
  if (thread.stop == Stop::exec)
    report.bytes.assign(reinterpret_cast<const char*>(from.data),
                        std::min<size_t>(from.bytes, sizeof from.data));
  if (known) tell_all(report);
  thread.open = false;
  give(slot, Verdict::go_on);
}

std::string Hub::move_memory(Controller& self, uint32_t slot, const Command& command,
                             std::string_view message) {
  Thread& thread = threads_[slot];
  if (thread.stop == Stop::signal) return "a signal has no arguments";
  const uint64_t address = thread.args[command.argument];
  const uint64_t extent = extent_of(thread.call, command.argument);
  const bool get = command.verb == Command::Verb::get;
  const uint64_t length = !get ? command.text.size() : command.ranged ? command.length : extent;
  const uint64_t offset = command.ranged ? command.offset : 0;
  const bool placed = is_placed(thread.call.args[command.argument]);
  if (placed && thread.stop == Stop::entry) return "its bytes are in the line that changed it";
  if (!placed && thread.call.args[command.argument] != address)
    return "the line that changed it says where it points";
  if (!address) return "it is NULL";
  if (!extent) return "it is no memory whose length is known";
  if (offset > extent || length > extent - offset)
    return fmt::format("beyond the buffer, which has {} bytes", extent);
  if (length > most_moved) return fmt::format("at most {} bytes at once", most_moved);
  const bool writes = !get && length <= most_set;  // a long one reads first
  thread.transfer = {.phase = writes ? Transfer::Phase::writing : Transfer::Phase::reading,
                     .get = get,
                     .argument = command.argument,
                     .address = address + offset,
                     .total = length,
                     .bytes = command.text,
                     .before = {},
                     .line = std::string(message)};
  self.replying = true;
  go_on_moving(slot);
  return {};
}

void Hub::go_on_moving(uint32_t slot) {
  Transfer& transfer = threads_[slot].transfer;
  wire::ControlSlot& to = page_.slots[slot];
  const bool reads = transfer.phase == Transfer::Phase::reading;
  transfer.chunk =
      std::min<uint64_t>(transfer.total - transfer.done, reads ? sizeof to.data : most_set);
  to.address = transfer.address + transfer.done;
  to.bytes = static_cast<uint32_t>(transfer.chunk);
  const std::string& from =
      transfer.phase == Transfer::Phase::restoring ? transfer.before : transfer.bytes;
  if (!reads) std::memcpy(to.data, from.data() + transfer.done, transfer.chunk);
  give(slot, reads ? Verdict::get : Verdict::set);
}

void Hub::take_reply(uint32_t slot) {
  using Phase = Transfer::Phase;
  Transfer& transfer = threads_[slot].transfer;
  const wire::ControlSlot& from = page_.slots[slot];
  const bool good = from.result == 0;
  if (good && transfer.phase == Phase::reading)
    transfer.before.append(reinterpret_cast<const char*>(from.data), transfer.chunk);
  if (!good && transfer.phase == Phase::writing && transfer.done) {
    transfer.phase = Phase::restoring;  // what is written already becomes what it was
    transfer.total = std::exchange(transfer.done, 0);
    return go_on_moving(slot);
  }
  if (!good) return end_moving(slot, false);
  transfer.done += transfer.chunk;
  if (transfer.done < transfer.total) return go_on_moving(slot);
  if (transfer.phase == Phase::reading && !transfer.get) {
    transfer.phase = Phase::writing, transfer.done = 0;
    return go_on_moving(slot);
  }
  end_moving(slot, transfer.phase != Phase::restoring);
}

void Hub::end_moving(uint32_t slot, bool good) {
  Thread& thread = threads_[slot];
  const Transfer done = std::exchange(thread.transfer, {});
  const int id = thread.asked;
  const auto found = controllers_.find(id);
  if (found == controllers_.end()) return next(slot);  // it hung up meanwhile
  Controller& self = found->second;
  self.replying = false;
  if (!good)
    tell(self, {.kind = Report::Kind::error,
                .bytes = std::string("that memory cannot be ") + (done.get ? "read" : "written"),
                .argument = kind_of(self.packed ? done.line : ""),
                .line = done.line});
  else if (done.get)
    tell(self, {.kind = Report::Kind::data,
                .pid = thread.pid,
                .tid = thread.tid,
                .bytes = done.before,
                .argument = static_cast<uint16_t>(done.argument)});
  go_on_hearing(id);
}

// A signal's handler came first; the call will be reported anew.
void Hub::withdraw(uint32_t slot) {
  retract(slot, Report::Kind::withdrawn);
  page_.slots[slot].state.store(SlotState::free, std::memory_order_release);
}

void Hub::retract(uint32_t slot, Report::Kind why) {
  const Thread thread = std::exchange(threads_[slot], {});
  std::vector<int> freed;
  for (auto& [id, controller] : controllers_) {
    const auto found = std::find(controller.asked.begin(), controller.asked.end(), slot);
    if (found == controller.asked.end()) continue;
    controller.asked.erase(found);
    if (thread.transfer.phase != Transfer::Phase::none) controller.replying = false;
    tell(controller, {.kind = why, .pid = thread.pid, .tid = thread.tid});
    freed.push_back(id);
  }
  for (const int id : freed) go_on_hearing(id);
}

void Hub::pass_time(uint64_t now) {
  now_ = now;
  for (auto& [id, controller] : controllers_) {
    if (!controller.patience) continue;
    const std::deque<uint32_t> asked = controller.asked;
    for (const uint32_t slot : asked) {
      Thread& thread = threads_[slot];
      if (thread.transfer.phase != Transfer::Phase::none ||
          now - thread.since < controller.patience)
        continue;
      std::erase(controller.asked, slot);
      tell(controller, {.kind = Report::Kind::late, .pid = thread.pid, .tid = thread.tid});
      next(slot);
    }
  }
}

void Hub::forget(const std::function<bool(uint32_t pid)>& is_alive) {
  for (uint32_t slot = 0; slot < threads_.size(); ++slot) {
    wire::ControlSlot& one = page_.slots[slot];
    if (one.state.load(std::memory_order_acquire) == SlotState::free || is_alive(one.pid)) continue;
    retract(slot, Report::Kind::gone);
    one.state.store(SlotState::free, std::memory_order_release);
  }
}

void Hub::renew(uint32_t pid) {
  forget([pid](uint32_t other) { return other != pid; });
}

}  // namespace sctrace::device
