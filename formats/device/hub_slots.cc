// The side of the hub that looks at slots: who asks, who has moved memory, who is gone.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "formats/device/hub.h"

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
  for (uint32_t slot = 0; slot < wire::control_slots; ++slot) {
    // acquire: pairs with the thread's release in preload/control.cc ask()
    const SlotState state = page_.slots[slot].state.load(std::memory_order_acquire);
    if (state == SlotState::withdrawn) withdraw(slot);
    if (state != SlotState::asked) continue;
    if (threads_[slot].transfer.open && page_.slots[slot].stop == Stop::reply)
      take_reply(slot);
    else if (!threads_[slot].open)
      take(slot);
  }
  if (const uint32_t lost = page_.lost.load(std::memory_order_relaxed); lost != lost_) {
    tell_all(fmt::format("0.0 lost {}", lost - lost_));
    lost_ = lost;
  }
}

void Hub::take(uint32_t slot) {
  const wire::ControlSlot& from = page_.slots[slot];
  Thread& thread = threads_[slot];
  const Stop stop = from.stop;
  const bool is_exit = stop == Stop::exit;
  std::vector<int> steps = std::move(thread.steps);
  read::Call call = std::move(thread.call);
  thread = {};
  thread.open = true, thread.stop = stop;
  thread.pid = from.pid, thread.tid = from.tid, thread.number = from.number;
  thread.result = from.result;
  const size_t bytes = std::min<size_t>(from.bytes, sizeof from.data);
  const std::vector<uint8_t> data(from.data, from.data + bytes);
  if (is_exit) {  // outwards: the innermost first
    thread.order.assign(steps.rbegin(), steps.rend());
    thread.call = std::move(call);
    thread.call.ended = true, thread.call.result = thread.result;
    return ask_next(slot);
  }
  if (stop == Stop::signal) {
    thread.info.assign(data.begin(), data.end());
    for (auto one = controllers_.rbegin(); one != controllers_.rend(); ++one)
      if (one->second.signals) thread.order.push_back(one->first);
    return ask_next(slot);
  }
  if (stop != Stop::entry) return take_notice(slot);
  if (!call_in(data.data(), data.size(), thread.call)) thread.call.nr = from.number;
  thread.call.pid = thread.pid, thread.call.tid = thread.tid;
  thread.instead.number = from.number;
  std::copy(from.args, from.args + 6, thread.instead.args);
  std::copy(from.args, from.args + 6, thread.call.args);
  for (auto one = controllers_.rbegin(); one != controllers_.rend(); ++one)
    if (one->second.traced.test(std::min<size_t>(thread.call.nr, 512)))
      thread.order.push_back(one->first);
  ask_next(slot);
}

void Hub::take_notice(uint32_t slot) {
  Thread& thread = threads_[slot];
  const wire::ControlSlot& from = page_.slots[slot];
  const size_t bytes = std::min<size_t>(from.bytes, sizeof from.data);
  const std::string path(reinterpret_cast<const char*>(from.data), bytes);
  switch (thread.stop) {
    case Stop::fork: tell_all(name_of(thread) + fmt::format("fork {}", thread.number)); break;
    case Stop::exec: tell_all(name_of(thread) + "exec " + quoted_bytes(path)); break;
    case Stop::gone: tell_all(name_of(thread) + fmt::format("exit {}", thread.number)); break;
    default: break;
  }
  thread.open = false;
  give(slot, Verdict::go_on);
}

std::string Hub::move_memory(Controller& self, uint32_t slot, const Command& command,
                             const std::string& line) {
  Thread& thread = threads_[slot];
  if (thread.stop == Stop::signal) return "a signal has no arguments";
  const uint64_t address = thread.call.args[command.argument];
  const uint64_t extent = extent_of(thread.call, command.argument);
  const bool get = command.verb == Command::Verb::get;
  const uint64_t length = !get ? command.text.size() : command.ranged ? command.length : extent;
  const uint64_t offset = command.ranged ? command.offset : 0;
  if (thread.instead.placed[command.argument]) return "its bytes are in the line that changed it";
  if (!address) return "it is NULL";
  if (!extent) return "it is no memory whose length is known";
  if (offset > extent || length > extent - offset)
    return fmt::format("beyond the buffer, which has {} bytes", extent);
  if (length > (get ? most_moved : most_set))
    return fmt::format("at most {} bytes at once", get ? most_moved : most_set);
  thread.transfer = {.open = true,
                     .get = get,
                     .argument = command.argument,
                     .address = address + offset,
                     .left = length,
                     .bytes = get ? std::string() : command.text,
                     .line = line};
  self.replying = true;
  go_on_moving(slot);
  return {};
}

// One slot full at a time.
void Hub::go_on_moving(uint32_t slot) {
  Transfer& transfer = threads_[slot].transfer;
  wire::ControlSlot& to = page_.slots[slot];
  to.address = transfer.address;
  to.bytes = static_cast<uint32_t>(std::min<uint64_t>(transfer.left, sizeof to.data));
  if (!transfer.get) std::memcpy(to.data, transfer.bytes.data(), to.bytes);
  give(slot, transfer.get ? Verdict::get : Verdict::set);
}

void Hub::take_reply(uint32_t slot) {
  Thread& thread = threads_[slot];
  Transfer& transfer = thread.transfer;
  const wire::ControlSlot& from = page_.slots[slot];
  const bool good = from.result == 0;
  const uint64_t moved = std::min<uint64_t>(transfer.left, sizeof from.data);
  if (good && transfer.get) transfer.bytes.append(reinterpret_cast<const char*>(from.data), moved);
  transfer.left -= moved, transfer.address += moved;
  if (good && transfer.left) return go_on_moving(slot);
  const Transfer done = std::exchange(transfer, {});
  const int id = thread.at < thread.order.size() ? thread.order[thread.at] : 0;
  const auto found = controllers_.find(id);
  if (found == controllers_.end()) return next(slot);  // it hung up meanwhile
  Controller& self = found->second;
  self.replying = false;
  if (!good)
    self.out +=
        "error " + done.line + ": that memory cannot be " + (done.get ? "read\n" : "written\n");
  else if (done.get)
    self.out += name_of(thread) + fmt::format("data {} ", done.argument + 1) +
                quoted_bytes(done.bytes) + '\n';
  std::deque<std::string> lines = std::exchange(self.waiting, {});
  for (; !lines.empty(); lines.pop_front()) say(id, lines.front());
}

// A signal's handler came first; the call will be reported anew.
void Hub::withdraw(uint32_t slot) {
  retract(slot, "withdrawn");
  page_.slots[slot].state.store(SlotState::free, std::memory_order_release);
}

void Hub::retract(uint32_t slot, const char* why) {
  Thread& thread = threads_[slot];
  for (auto& [id, controller] : controllers_) {
    const auto found = std::find(controller.asked.begin(), controller.asked.end(), slot);
    if (found == controller.asked.end()) continue;
    controller.asked.erase(found);
    controller.replying = controller.replying && !thread.transfer.open;
    controller.out += name_of(thread) + why + '\n';
    std::deque<std::string> lines = std::exchange(controller.waiting, {});
    for (; !lines.empty(); lines.pop_front()) say(id, lines.front());
  }
  thread = {};
}

void Hub::pass_time(uint64_t now) {
  now_ = now;
  for (auto& [id, controller] : controllers_) {
    if (!controller.patience) continue;
    const std::deque<uint32_t> asked = controller.asked;
    for (const uint32_t slot : asked) {
      Thread& thread = threads_[slot];
      if (thread.transfer.open || now - thread.since < controller.patience) continue;
      std::erase(controller.asked, slot);
      controller.out += name_of(thread) + "late\n";
      next(slot);
    }
  }
}

void Hub::forget(const std::function<bool(uint32_t pid)>& is_alive) {
  for (uint32_t slot = 0; slot < wire::control_slots; ++slot) {
    wire::ControlSlot& one = page_.slots[slot];
    if (one.state.load(std::memory_order_acquire) == SlotState::free || is_alive(one.pid)) continue;
    if (threads_[slot].open) retract(slot, "gone");
    one.state.store(SlotState::free, std::memory_order_release);
  }
}

}  // namespace sctrace::device
