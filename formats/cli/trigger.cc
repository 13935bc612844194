#include "formats/cli/trigger.h"

#include <fmt/format.h>

#include <filesystem>

#include "formats/filter.h"
#include "formats/read/snapshot.h"

namespace sctrace::cli {

namespace fs = std::filesystem;

Trigger::Trigger(const std::string& trace, const wire::Expression& when, std::string prefix,
                 uint64_t keep)
    : trace_(trace), when_(when), prefix_(std::move(prefix)), keep_(keep), live_(trace) {}

bool Trigger::is_it(const read::Item& item) {
  const bool by_path = wire::asks_for(when_, wire::Field::path);
  if (item.kind == read::Item::Kind::thread && by_path) files_.begin(*item.thread);
  if (item.kind == read::Item::Kind::enter && by_path) files_.enter(*item.call);
  if (item.kind != read::Item::Kind::leave) return false;
  if (!by_path) return passes(when_, *item.call, {});
  files_.learn(*item.call);
  const bool is = passes(when_, *item.call, read::decode(*item.call, &files_).paths);
  files_.forget(*item.call);
  return is;
}

void Trigger::take(const read::Call& call) {
  std::string to;
  std::error_code error;
  do to = fmt::format("{}-{}", prefix_, ++count_);
  while (fs::exists(to, error));
  read::snapshot(trace_, to);
  const char* name = read::lookup(call.nr).name;
  fmt::print(stderr, "sctrace: {}: {} of thread {}\n", to, name ? name : "a call", call.tid);
  kept_.push_back(to);
  if (!keep_ || kept_.size() <= keep_) return;
  fs::remove_all(kept_.front(), error);
  kept_.pop_front();
}

void Trigger::look(bool running) {
  if (running)
    live_.look(true);
  else
    live_.finish();
  bool once = false;
  for (read::Item item; live_.next(item);) {
    if (!is_it(item) || once) continue;
    take(*item.call);
    once = true;
  }
}

void LateTrigger::look(const std::string& trace, bool running) try {
  std::error_code error;
  if (failed_ || !fs::exists(trace + "/" + wire::session_name, error)) return;
  if (!trigger_) {
    if (read::Trace(trace).images().empty()) return;  // being made just now
    trigger_.emplace(trace, when_, trace + "-snapshot", keep_);
  }
  trigger_->look(running);
} catch (const read::BadTrace& bad) {
  if (running && !trigger_) return;  // being made just now
  failed_ = true;
  fmt::print(stderr, "sctrace: no more snapshots: {}\n", bad.what());
}

}  // namespace sctrace::cli
