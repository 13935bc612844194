#include "formats/cli/watch.h"

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "formats/cli/processes.h"

namespace sctrace::cli {

namespace {
volatile sig_atomic_t was_interrupted = 0;
extern "C" void note_interrupt(int) { was_interrupted = 1; }
}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = note_interrupt;  // no SA_RESTART: what waits shall wake
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

bool interrupted() { return was_interrupted != 0; }

// Those known first: looking through all of /proc costs a hundred times as much.
bool Watch::is_mapped() {
  if (std::any_of(known_.begin(), known_.end(),
                  [&](unsigned pid) { return writes_into(pid, trace_); }))
    return true;
  const std::vector<Carrier> now = carriers_of(trace_);
  if (now.empty()) return false;
  known_.clear();
  for (const Carrier& one : now) known_.push_back(one.pid);
  return true;
}

bool Watch::running() {
  using namespace std::chrono_literals;
  const auto now = Clock::now();
  if (!last_ || (looked_ != Clock::time_point{} && now - looked_ < 200ms)) return last_;
  looked_ = now;
  if (is_mapped()) return seen_ = now, true;
  const bool in_exec = std::any_of(known_.begin(), known_.end(), [](unsigned pid) {
    std::error_code error;
    return std::filesystem::exists("/proc/" + std::to_string(pid) + "/exe", error);
  });
  return last_ = in_exec && now - seen_ < 1s;
}

}  // namespace sctrace::cli
