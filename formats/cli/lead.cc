#include "formats/cli/lead.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "arch/x86_64/frame.h"
#include "formats/cli/lead_frame.h"

namespace sctrace::cli {

bool was_in_a_call(const Reached::Thread& thread, const wire::Live& live) {
  return thread.bond == wire::Bond::here && thread.turn != live.turn.load() &&
         static_cast<arch::Phase>(thread.phase) == arch::Phase::entered;
}

uint32_t lead_known(const Reached& process, Sleeps& sleeps, unsigned patience_ms) {
  using namespace std::chrono_literals;
  std::vector<Led> led;
  uint32_t alone = 0;
  for (const Reached::Thread& thread : process.threads()) {
    const bool ours = was_in_a_call(thread, process.live());
    if (thread.bond != wire::Bond::known && !ours) continue;
    Task task{.tid = thread.tid};
    look_at_call(process.pid(), task);
    if (ours) {
      if (task.call < 0) led.push_back({thread.tid, thread.state, false, true});
      continue;
    }
    const Trace left = trace_of_stop(task);
    if (left == Trace::none ||
        (left == Trace::time_anew && sleeps.has_just_begun(process.pid(), thread.tid)))
      led.push_back({thread.tid, thread.state, task.call >= 0, false});
    else
      ++alone;
  }
  if (led.empty()) return alone;
  const pid_t child = ::fork();
  if (child == 0) {
    lead_here(led, process.pid(), process.live(), patience_ms);
    ::_exit(0);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms) + 1s;
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) ::kill(child, SIGKILL);
    std::this_thread::sleep_for(100us);
  }
  return alone;
}

}  // namespace sctrace::cli
