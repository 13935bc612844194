#include "formats/cli/lead.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "arch/x86_64/frame.h"
#include "formats/cli/lead_frame.h"

namespace sctrace::cli {

namespace {

// Does a stop leave no trace? The kernel makes these calls again, or they say EINTR at any stop and
// have done nothing by then, so that they are made again as they were. Not where they have a time
// to wait, or something half done.
bool may_be_stopped(const Task& task) {
  constexpr uint64_t wait_all = 0x100;  // MSG_WAITALL
  const uint64_t* args = task.args;
  switch (task.call) {
    case 0:
    case 7:
    case 19:
    case 23:
    case 34:
    case 35:
    case 42:
    case 43:  // read … accept
    case 61:
    case 65:
    case 70:
    case 72:
    case 73:
    case 130:
    case 202:
    case 219:  // wait4 … futex
    case 230:
    case 247:
    case 270:
    case 271:
    case 288:
    case 449: return true;
    case 45: return !(args[3] & wait_all);  // recvfrom
    case 47: return !(args[2] & wait_all);  // recvmsg
    case 232:
    case 281: return static_cast<int32_t>(args[3]) < 0;  // epoll_wait, epoll_pwait
    case 128: return !args[2];                           // rt_sigtimedwait
    case 220:
    case 441: return !args[3];  // semtimedop, epoll_pwait2
    case 208:
    case 299:
    case 333: return !args[4];  // io_getevents, recvmmsg, io_pgetevents
    default: return task.call < 0;
  }
}

// Since before the `off` that this `on` follows.
bool was_in_a_call(const Reached::Thread& thread, const wire::Live& live) {
  return thread.bond == wire::Bond::here && thread.turn != live.turn.load() &&
         static_cast<arch::Phase>(thread.phase) == arch::Phase::entered;
}

}  // namespace

uint32_t lead_known(const Reached& process, unsigned patience_ms) {
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
    if (may_be_stopped(task))
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
