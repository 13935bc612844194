#include "formats/device/hub.h"

#include <fmt/format.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "formats/device/packed.h"
#include "formats/device/placed.h"
#include "formats/device/rewrite.h"

namespace sctrace::device {

using wire::SlotState;
using wire::Stop;
using wire::Verdict;
using Verb = Command::Verb;

namespace {

constexpr size_t longest_line = 4 << 20;

bool is_setting(Verb verb) { return verb <= Verb::patience; }

}  // namespace

Hub::Hub(wire::ControlPage& page, std::function<void(uint32_t)> wake)
    : page_(page),
      wake_(std::move(wake)),
      threads_(std::min(page.slot_count, wire::control_slots)) {}

int Hub::connect() {
  controllers_[next_id_] = {};
  return next_id_++;
}

std::string Hub::take_output(int controller) {
  const auto found = controllers_.find(controller);
  return found == controllers_.end() ? std::string() : std::exchange(found->second.out, {});
}

bool Hub::has_limits() const {
  for (const auto& [id, controller] : controllers_)
    if (controller.patience && !controller.asked.empty()) return true;
  return false;
}

bool Hub::hear(int id, std::string_view bytes) {
  const auto found = controllers_.find(id);
  if (found == controllers_.end()) return false;
  found->second.in += bytes;
  go_on_hearing(id);
  const Controller& self = found->second;
  if (self.packed) return frame_length(self.in) != std::string::npos;
  return self.replying || self.in.size() <= longest_line;
}

void Hub::go_on_hearing(int id) {
  const auto found = controllers_.find(id);
  if (found == controllers_.end()) return;
  while (!found->second.replying && try_next_message(id, found->second)) {
  }
}

bool Hub::try_next_message(int id, Controller& self) {
  size_t length;
  if (self.packed) {
    length = frame_length(self.in);
    if (!length || length > self.in.size()) return false;  // npos too
  } else {
    length = self.in.find('\n') + 1;
    if (!length) return false;
  }
  const std::string message = self.in.substr(0, length - !self.packed);
  self.in.erase(0, length);
  handle(id, self, message);
  return true;
}

void Hub::hang_up(int id) {
  const auto found = controllers_.find(id);
  if (found == controllers_.end()) return;
  const std::deque<uint32_t> asked = found->second.asked;
  controllers_.erase(found);
  spread_wishes();
  for (const uint32_t slot : asked)  // else once the thread has done with it
    if (threads_[slot].transfer.phase == Transfer::Phase::none) next(slot);
}

void Hub::tell(Controller& self, const Report& report) {
  self.out += self.packed ? as_frame(report, self.limit) : as_line(report, self.limit);
}

void Hub::tell_all(const Report& report) {
  for (auto& [id, controller] : controllers_)
    if (controller.begun) tell(controller, report);
}

// What any controller traces stops.
void Hub::spread_wishes() {
  bool signals = false, told = false;
  uint64_t limit = 0;
  CallSet all;
  for (const auto& [id, controller] : controllers_) {
    all |= controller.traced;
    signals |= controller.signals, told |= controller.begun;
    limit = std::max(limit, controller.limit);
  }
  for (uint32_t nr = 0; nr < 512; ++nr)
    page_.wants[nr].store(all.test(nr) || (nr == 511 && all.test(512)), std::memory_order_relaxed);
  page_.signals.store(signals), page_.told.store(told);
  page_.limit.store(static_cast<uint32_t>(std::min<uint64_t>(limit, wire::control_shown_most)));
}

void Hub::handle(int id, Controller& self, std::string_view message) {
  Command command;
  std::string wrong = self.packed ? parse_frame(message, command) : parse_command(message, command);
  if (wrong.empty() && (command.verb == Verb::packed || command.verb == Verb::text))
    return set_packed(self, command.verb == Verb::packed);
  if (wrong.empty()) wrong = obey(id, self, command, message);
  if (!wrong.empty()) {
    tell(self, {.kind = Report::Kind::error,
                .bytes = wrong,
                .argument = kind_of(self.packed ? message : ""),
                .line = std::string(message)});
  } else if (!begun_ || !self.begun) {
    begun_ = self.begun = true;
    spread_wishes();
  }
}

// It says nothing about calls: the program does not begin by it.
void Hub::set_packed(Controller& self, bool packed) {
  self.packed = packed;
  self.out += packed ? "packed 1\n" : "";
}

std::string Hub::obey(int id, Controller& self, const Command& command, std::string_view message) {
  if (is_setting(command.verb)) return set_up(self, command);
  const auto target = std::find_if(self.asked.begin(), self.asked.end(), [&](uint32_t slot) {
    const Thread& thread = threads_[slot];
    return !command.pid || (thread.pid == command.pid && thread.tid == command.tid);
  });
  if (target == self.asked.end())
    return command.pid ? "that thread waits for no answer" : "no report waits for an answer";
  if (command.verb == Verb::set || command.verb == Verb::get)
    return move_memory(self, *target, command, message);
  return answer(id, self, *target, command);
}

std::string Hub::set_up(Controller& self, const Command& command) {
  switch (command.verb) {
    case Verb::signals: self.signals = command.on; break;
    case Verb::limit: self.limit = command.length; break;
    case Verb::patience: self.patience = command.length; break;
    default: try { self.traced = call_set(command.text);
      } catch (const std::invalid_argument& wrong) {
        return wrong.what();
      }
  }
  spread_wishes();
  let_unwanted_go(self);
  return {};
}

// What waits and is no longer asked for goes on.
void Hub::let_unwanted_go(Controller& self) {
  const std::deque<uint32_t> asked = self.asked;
  for (const uint32_t slot : asked) {
    const Thread& thread = threads_[slot];
    const bool wanted = thread.stop == Stop::signal
                            ? self.signals
                            : self.traced.test(std::min<size_t>(thread.asked_nr, 512));
    if (wanted) continue;
    std::erase(self.asked, slot);
    next(slot);
  }
}

std::string Hub::answer(int id, Controller& self, uint32_t slot, const Command& command) {
  Thread& thread = threads_[slot];
  std::string wrong = thread.stop == Stop::entry  ? answer_entry(id, self, slot, command)
                      : thread.stop == Stop::exit ? answer_exit(slot, command)
                                                  : answer_signal(slot, command);
  if (!wrong.empty() || command.verb == Verb::call || command.verb == Verb::made) return wrong;
  std::erase(self.asked, slot);
  next(slot);
  return wrong;
}

std::string Hub::answer_entry(int id, Controller& self, uint32_t slot, const Command& command) {
  Thread& thread = threads_[slot];
  switch (command.verb) {
    case Verb::cont: return {};
    case Verb::step: thread.steps.push_back(id); return {};
    case Verb::skip: thread.skipped = true, thread.result = command.result; return {};
    case Verb::call: return rewrite(thread.call, self.limit, command.text, command.arguments);
    case Verb::made: return make(thread.call, command);
    default: return "a call waits: cont, step, skip-fail, skip-ok, set, get or another call";
  }
}

std::string Hub::answer_exit(uint32_t slot, const Command& command) {
  if (command.verb == Verb::cont) return {};
  if (command.verb != Verb::result) return "a result waits: ok, fail, cont, set or get";
  threads_[slot].result = command.result;
  return {};
}

std::string Hub::answer_signal(uint32_t slot, const Command& command) {
  Thread& thread = threads_[slot];
  switch (command.verb) {
    case Verb::cont:
    case Verb::deliver: return {};
    case Verb::drop: thread.skipped = true; return {};
    case Verb::signal: thread.number = static_cast<uint32_t>(command.result); return {};
    default: return "a signal waits: deliver, drop or signal";
  }
}

// The next controller inwards or outwards, or the thread itself.
void Hub::next(uint32_t slot) {
  Thread& thread = threads_[slot];
  if (!thread.open) return;
  if (thread.skipped && thread.stop != Stop::exit) return conclude(slot);
  ask_next(slot);
}

// After the one that was asked; 0: nobody.
int Hub::whose_turn(const Thread& thread) const {
  if (thread.stop == Stop::entry) {
    for (auto one = controllers_.rbegin(); one != controllers_.rend(); ++one)
      if (one->first < thread.asked &&
          one->second.traced.test(std::min<size_t>(thread.call.nr, 512)))
        return one->first;
  } else if (thread.stop == Stop::signal) {
    for (const auto& [id, controller] : controllers_)
      if (id > thread.asked && controller.signals) return id;
  } else {
    for (auto one = thread.steps.rbegin(); one != thread.steps.rend(); ++one)
      if (*one > thread.asked && controllers_.count(*one)) return *one;
  }
  return 0;
}

// `exit 0` is what is told of a process that ends, too: in lines the call of that name is told as
// that is, and asks nothing, or nobody could tell which of them waits.
bool Hub::is_told_alone(const Thread& thread) {
  Controller& controller = controllers_.at(thread.asked);
  if (controller.packed || thread.stop != Stop::entry || thread.call.nr != SYS_exit) return false;
  tell(controller, {.kind = Report::Kind::exit,
                    .pid = thread.pid,
                    .tid = thread.tid,
                    .number = static_cast<int32_t>(thread.call.args[0])});
  return true;
}

void Hub::ask_next(uint32_t slot) {
  Thread& thread = threads_[slot];
  while ((thread.asked = whose_turn(thread)) && is_told_alone(thread)) {
  }
  if (!thread.asked) return conclude(slot);
  Report report{.pid = thread.pid, .tid = thread.tid};
  switch (thread.stop) {
    case Stop::entry: report.kind = Report::Kind::call, report.call = &thread.call; break;
    case Stop::exit: report.kind = Report::Kind::result, report.number = thread.result; break;
    default:
      report.kind = Report::Kind::signal, report.number = thread.number;
      report.bytes = thread.info;
  }
  Controller& controller = controllers_.at(thread.asked);
  tell(controller, report);
  controller.asked.push_back(slot);
  thread.asked_nr = thread.call.nr;
  thread.since = now_;
}

void Hub::give(uint32_t slot, Verdict verdict) {
  wire::ControlSlot& to = page_.slots[slot];
  to.verdict = verdict;
  SlotState expected = SlotState::asked;
  if (to.state.compare_exchange_strong(expected, SlotState::answered)) return wake_(slot);
  if (expected == SlotState::withdrawn) return withdraw(slot);
  retract(slot, Report::Kind::withdrawn);  // it went on by itself
}

// All have been asked: the thread goes on.
void Hub::conclude(uint32_t slot) {
  Thread& thread = threads_[slot];
  wire::ControlSlot& to = page_.slots[slot];
  thread.open = false;
  to.result = thread.result;
  if (thread.stop == Stop::signal) to.number = thread.number;
  if (thread.stop == Stop::entry) {
    to.number = thread.call.nr;
    to.stops_after = !thread.steps.empty();
    std::copy(thread.call.args, thread.call.args + 6, to.args);
    try_put(thread.call, to);  // it fits: rewrite() and make() have seen to it
  }
  const bool answered = thread.skipped && thread.stop != Stop::exit;
  give(slot, answered ? Verdict::answer : Verdict::go_on);
}

}  // namespace sctrace::device
