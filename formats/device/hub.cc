#include "formats/device/hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "formats/text.h"

namespace sctrace::device {

using wire::SlotState;
using wire::Stop;
using wire::Verdict;

Hub::Hub(wire::ControlPage& page, std::function<void(uint32_t)> wake)
    : page_(page), wake_(std::move(wake)), threads_(wire::control_slots) {}

int Hub::connect() {
  controllers_[next_id_] = {};
  return next_id_++;
}

std::string Hub::name_of(const Thread& thread) const {
  return fmt::format("{}.{} ", thread.pid, thread.tid);
}

std::string Hub::take_output(int controller) {
  const auto found = controllers_.find(controller);
  return found == controllers_.end() ? std::string() : std::exchange(found->second.out, {});
}

std::vector<int> Hub::with_output() const {
  std::vector<int> ids;
  for (const auto& [id, controller] : controllers_)
    if (!controller.out.empty()) ids.push_back(id);
  return ids;
}

bool Hub::has_limits() const {
  for (const auto& [id, controller] : controllers_)
    if (controller.patience && !controller.asked.empty()) return true;
  return false;
}

void Hub::say(int id, std::string_view line) {
  const auto found = controllers_.find(id);
  if (found == controllers_.end()) return;
  Controller& self = found->second;
  if (self.replying) return self.waiting.emplace_back(line), void();
  handle(id, self, std::string(line));
}

void Hub::hang_up(int id) {
  const auto found = controllers_.find(id);
  if (found == controllers_.end()) return;
  const std::deque<uint32_t> asked = found->second.asked;
  controllers_.erase(found);
  spread_wishes();
  for (const uint32_t slot : asked)
    if (!threads_[slot].transfer.open) next(slot);  // else once the thread has done with it
}

void Hub::tell_all(const std::string& line) {
  for (auto& [id, controller] : controllers_)
    if (controller.begun) controller.out += line + '\n';
}

// What any controller traces stops.
void Hub::spread_wishes() {
  bool signals = false, told = false;
  CallSet all;
  for (const auto& [id, controller] : controllers_) {
    all |= controller.traced;
    signals |= controller.signals, told |= controller.begun;
  }
  for (uint32_t nr = 0; nr < 512; ++nr)
    page_.wants[nr].store(all.test(nr) || (nr == 511 && all.test(512)), std::memory_order_relaxed);
  page_.signals.store(signals), page_.told.store(told);
}

void Hub::handle(int id, Controller& self, const std::string& line) {
  Command command;
  std::string wrong = parse_command(line, command);
  if (wrong.empty()) {
    using Verb = Command::Verb;
    const bool is_setting = command.verb == Verb::trace || command.verb == Verb::signals ||
                            command.verb == Verb::limit || command.verb == Verb::patience;
    const auto is_meant = [&](uint32_t slot) {
      return !command.pid ||
             (threads_[slot].pid == command.pid && threads_[slot].tid == command.tid);
    };
    const auto target = std::find_if(self.asked.begin(), self.asked.end(), is_meant);
    if (is_setting)
      wrong = set_up(id, self, command);
    else if (target == self.asked.end())
      wrong = command.pid ? "that thread waits for no answer" : "no report waits for an answer";
    else if (command.verb == Verb::set || command.verb == Verb::get)
      wrong = move_memory(self, *target, command, line);
    else
      wrong = answer(id, self, *target, command);
  }
  if (!wrong.empty()) {
    std::string seen = line.substr(0, 200);
    for (char& c : seen)
      if (static_cast<uint8_t>(c) < 0x20) c = '?';
    self.out += "error " + seen + ": " + wrong + '\n';
  } else if (!begun_ || !self.begun) {
    begun_ = self.begun = true;
    spread_wishes();
  }
}

std::string Hub::set_up(int, Controller& self, const Command& command) {
  switch (command.verb) {
    case Command::Verb::signals: self.signals = command.on; break;
    case Command::Verb::limit: self.limit = command.length; break;
    case Command::Verb::patience: self.patience = command.length; break;
    default: try { self.traced = call_set(command.text);
      } catch (const std::invalid_argument& wrong) {
        return wrong.what();
      }
  }
  spread_wishes();
  // What waits and is no longer asked for goes on.
  const std::deque<uint32_t> asked = self.asked;
  for (const uint32_t slot : asked) {
    const Thread& thread = threads_[slot];
    const bool wanted = thread.stop == Stop::signal ? self.signals
                        : thread.stop == Stop::exit
                            ? true
                            : self.traced.test(std::min<size_t>(thread.call.nr, 512));
    if (wanted) continue;
    std::erase(self.asked, slot);
    next(slot);
  }
  return {};
}

std::string Hub::answer(int id, Controller& self, uint32_t slot, const Command& command) {
  Thread& thread = threads_[slot];
  std::string wrong = thread.stop == Stop::entry  ? answer_entry(id, self, slot, command)
                      : thread.stop == Stop::exit ? answer_exit(slot, command)
                                                  : answer_signal(slot, command);
  if (!wrong.empty() || command.verb == Command::Verb::call) return wrong;
  std::erase(self.asked, slot);
  next(slot);
  return wrong;
}

std::string Hub::answer_entry(int id, Controller& self, uint32_t slot, const Command& command) {
  Thread& thread = threads_[slot];
  switch (command.verb) {
    case Command::Verb::cont: return {};
    case Command::Verb::step: thread.steps.push_back(id); return {};
    case Command::Verb::skip: thread.skipped = true, thread.result = command.result; return {};
    case Command::Verb::call: {
      Instead made;
      const std::string wrong = instead_of(thread.call, self.limit, command, made);
      if (!wrong.empty()) return wrong;
      read::Call altered = thread.call;
      altered.nr = made.number;
      for (uint32_t n = 0; n < 6; ++n) {
        // Bytes of an earlier change stay, if this line does not touch them.
        const bool kept = made.number == thread.call.nr && thread.instead.placed[n] &&
                          !made.placed[n] && made.args[n] == thread.call.args[n];
        if (kept) made.placed[n] = true, made.bytes[n] = thread.instead.bytes[n];
        altered.args[n] = made.args[n];
        if (!made.placed[n] || kept) continue;
        altered.args[n] = 0x7ffe'0000'0000 + n * 0x10000;  // a place nobody's memory is at
        read::Piece piece;
        piece.address = altered.args[n];
        piece.bytes.assign(made.bytes[n].begin(), made.bytes[n].end());
        piece.wanted = piece.bytes.size();
        std::erase_if(altered.memory, [&](const auto& p) { return p.address == piece.address; });
        altered.memory.push_back(std::move(piece));
      }
      thread.instead = made, thread.call = std::move(altered);
      return {};
    }
    default: return "a call waits: cont, step, skip-fail, skip-ok, set, get or another call";
  }
}

std::string Hub::answer_exit(uint32_t slot, const Command& command) {
  if (command.verb == Command::Verb::cont) return {};
  if (command.verb != Command::Verb::result) return "a result waits: ok, fail, cont, set or get";
  threads_[slot].result = command.result;
  return {};
}

std::string Hub::answer_signal(uint32_t slot, const Command& command) {
  Thread& thread = threads_[slot];
  switch (command.verb) {
    case Command::Verb::cont:
    case Command::Verb::deliver: return {};
    case Command::Verb::drop: thread.skipped = true; return {};
    case Command::Verb::signal: thread.number = static_cast<uint32_t>(command.result); return {};
    default: return "a signal waits: deliver, drop or signal";
  }
}

// The next controller inwards or outwards, or the thread itself.
void Hub::next(uint32_t slot) {
  Thread& thread = threads_[slot];
  if (!thread.open) return;
  const bool ends = thread.skipped && thread.stop != Stop::exit;
  thread.at = ends ? thread.order.size() : thread.at + 1;
  ask_next(slot);
}

void Hub::ask_next(uint32_t slot) {
  Thread& thread = threads_[slot];
  for (; thread.at < thread.order.size(); ++thread.at) {
    const auto found = controllers_.find(thread.order[thread.at]);
    if (found == controllers_.end()) continue;
    Controller& controller = found->second;
    std::string line;
    switch (thread.stop) {
      case Stop::entry: line = shown_call(thread.call, controller.limit); break;
      case Stop::exit: line = shown_outcome(thread.result); break;
      default:
        line = "signal " + shown_siginfo(thread.number,
                                         reinterpret_cast<const uint8_t*>(thread.info.data()),
                                         thread.info.size());
    }
    controller.out += name_of(thread) + line + '\n';
    controller.asked.push_back(slot);
    thread.since = now_;
    return;
  }
  conclude(slot);
}

void Hub::give(uint32_t slot, Verdict verdict) {
  wire::ControlSlot& to = page_.slots[slot];
  to.verdict = verdict;
  SlotState expected = SlotState::asked;
  if (to.state.compare_exchange_strong(expected, SlotState::answered)) return wake_(slot);
  withdraw(slot);
}

// All have been asked: the thread goes on.
void Hub::conclude(uint32_t slot) {
  Thread& thread = threads_[slot];
  wire::ControlSlot& to = page_.slots[slot];
  thread.open = false;
  to.result = thread.result;
  if (thread.stop == Stop::signal) to.number = thread.number;
  if (thread.stop == Stop::entry) {
    uint32_t used = 0;
    to.number = thread.instead.number;
    to.stops_after = !thread.steps.empty();
    for (uint32_t n = 0; n < 6; ++n) {
      const std::string& bytes = thread.instead.bytes[n];
      to.args[n] = thread.instead.args[n];
      to.placed[n] = {wire::control_slots, 0, 0};
      if (!thread.instead.placed[n] || bytes.size() > sizeof to.data - used) continue;
      std::memcpy(to.data + used, bytes.data(), bytes.size());
      to.placed[n] = {n, used, static_cast<uint32_t>(bytes.size())};
      used += static_cast<uint32_t>(bytes.size());
    }
  }
  const bool answered = thread.skipped && thread.stop != Stop::exit;
  give(slot, answered ? Verdict::answer : Verdict::go_on);
}

}  // namespace sctrace::device
