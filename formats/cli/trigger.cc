#include "formats/cli/trigger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "arch/table.h"
#include "formats/read/snapshot.h"

namespace sctrace::cli {

namespace fs = std::filesystem;

Occasions occasions_of(const std::vector<std::string>& texts) {
  return Occasions(texts.begin(), texts.end());
}

Trigger::Trigger(const std::string& trace, Occasions when, std::string prefix, uint64_t keep)
    : trace_(trace), when_(std::move(when)), prefix_(std::move(prefix)), keep_(keep), live_(trace) {
  for (const Occasion& one : when_)
    by_path_ |= one.asks_for_paths(), by_end_ |= one.asks_for_ends();
}

// Each of these: what it was that was waited for, in words, or nothing.
std::string Trigger::call_like(const read::Call& call) {
  std::vector<std::string> paths;
  if (by_path_) {
    files_.learn(call);
    paths = read::decode(call, &files_).paths;
    files_.forget(call);
  }
  for (const Occasion& one : when_) {
    if (!one.is_call(call, paths)) continue;
    const char* name = read::lookup(call.nr).name;
    return fmt::format("{} of thread {}", name ? name : "a call", call.tid);
  }
  return {};
}

std::string Trigger::signal_like(const read::Signal& signal) {
  uint32_t number;
  std::memcpy(&number, signal.siginfo, sizeof number);
  for (const Occasion& one : when_) {
    if (!one.is_signal(number)) continue;
    signals_[signal.pid] = number;
    return fmt::format("{} of thread {}", signal_name(number), signal.tid);
  }
  return {};
}

// By a signal, as far as somebody knows; shells call that status 128 and its number.
std::string Trigger::end_like(const read::Ending& ending) {
  // What it did last may come to light after its parent's wait.
  if (!ended_.insert(ending.pid).second) return {};
  const auto told = signals_.find(ending.pid);
  const bool is_told = told != signals_.end() && told->second == ending.signal;
  if (told != signals_.end()) signals_.erase(told);
  for (const Occasion& one : when_)
    if (one.is_exit(128 + ending.signal) || (!is_told && one.is_signal(ending.signal)))
      return fmt::format("process {} killed by {}", ending.pid, signal_name(ending.signal));
  return {};
}

std::string Trigger::what_ended(const read::Item& item) {
  using Kind = read::Item::Kind;
  if (item.kind == Kind::thread) ended_.erase(item.pid);  // a pid used again
  if (item.kind == Kind::enter) endings_.enter(*item.call);
  if (item.kind == Kind::leave)
    for (const read::Ending& ending : endings_.leave(*item.call))
      if (std::string what = end_like(ending); !what.empty()) return what;
  if (item.kind == Kind::signal) return signal_like(*item.signal);
  if (item.kind != Kind::gone) return {};
  endings_.gone(item.pid), signals_.erase(item.pid);
  const bool exits =
      item.call && (item.call->nr == arch::nr_exit || item.call->nr == arch::nr_exit_group);
  const uint32_t status = exits ? item.call->args[0] & 0xff : 0;
  for (const Occasion& one : when_)
    if (exits && one.is_exit(status)) return fmt::format("exit {} of process {}", status, item.pid);
  return {};
}

std::string Trigger::what_is(const read::Item& item) {
  using Kind = read::Item::Kind;
  if (item.kind == Kind::thread && by_path_) files_.begin(*item.thread);
  if (item.kind == Kind::enter && by_path_) files_.enter(*item.call);
  std::string what = by_end_ ? what_ended(item) : std::string();
  if (item.kind != Kind::leave) return what;
  const std::string call = call_like(*item.call);
  return what.empty() ? call : what;
}

void Trigger::take(const std::string& what) {
  std::string to;
  std::error_code error;
  do to = fmt::format("{}-{}", prefix_, ++count_);
  while (fs::exists(to, error));
  read::snapshot(trace_, to);
  fmt::print(stderr, "sctrace: {}: {}\n", to, what);
  kept_.push_back(to);
  if (!keep_ || kept_.size() <= keep_) return;
  fs::remove_all(kept_.front(), error);
  kept_.pop_front();
}

void Trigger::look(bool running, const std::vector<read::Ending>& known) {
  if (running)
    live_.look(true);
  else
    live_.finish();
  bool once = false;
  const auto take_once = [&](const std::string& what) {
    if (!what.empty() && !std::exchange(once, true)) take(what);
  };
  for (read::Item item; live_.next(item);) take_once(what_is(item));
  if (running || !by_end_) return;
  for (const read::Ending& ending : known) {
    endings_.gone(ending.pid);
    take_once(end_like(ending));
  }
  for (const read::Ending& ending : endings_.at_end()) take_once(end_like(ending));
}

void LateTrigger::look(const std::string& trace, bool running,
                       const std::vector<read::Ending>& known) try {
  std::error_code error;
  if (failed_ || !fs::exists(trace + "/" + wire::session_name, error)) return;
  if (!trigger_) {
    if (read::Trace(trace).images().empty()) return;  // being made just now
    trigger_.emplace(trace, when_, trace + "-snapshot", keep_);
  }
  trigger_->look(running, known);
} catch (const read::BadTrace& bad) {
  if (running && !trigger_) return;  // being made just now
  failed_ = true;
  fmt::print(stderr, "sctrace: no more snapshots: {}\n", bad.what());
}

}  // namespace sctrace::cli
