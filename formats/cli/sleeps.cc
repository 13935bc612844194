#include "formats/cli/sleeps.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace sctrace::cli {

namespace {

// By what the kernel makes again itself, or what says EINTR at any stop and has done nothing by
// then, so that it is made again as it was (stopped.cc): read … accept, wait4 … restart_syscall, …
constexpr long again[] = {0,  7,  19,  23,  34,  35,  42,  43,  61,  65,  70,
                          72, 73, 130, 202, 219, 230, 247, 270, 271, 288, 449};

// The same, if they have no time to wait: which argument says so.
struct Timed {
  long call;
  int argument;
};
constexpr Timed timed[] = {{128, 2}, {220, 3}, {441, 3}, {208, 4}, {299, 4}, {333, 4}};

}  // namespace

Trace trace_of_stop(const Task& task) {
  constexpr uint64_t wait_all = 0x100;  // MSG_WAITALL
  constexpr long recvfrom = 45, recvmsg = 47, epoll_wait = 232, epoll_pwait = 281;
  if (task.call < 0 || std::find(std::begin(again), std::end(again), task.call) != std::end(again))
    return Trace::none;
  const auto is_none = [](bool is, Trace otherwise) { return is ? Trace::none : otherwise; };
  if (task.call == recvfrom) return is_none(!(task.args[3] & wait_all), Trace::other);
  if (task.call == recvmsg) return is_none(!(task.args[2] & wait_all), Trace::other);
  if (task.call == epoll_wait || task.call == epoll_pwait)
    return is_none(static_cast<int32_t>(task.args[3]) < 0, Trace::time_anew);
  for (const Timed& one : timed)
    if (task.call == one.call) return is_none(!task.args[one.argument], Trace::time_anew);
  return Trace::other;
}

bool Sleeps::has_just_begun(uint32_t pid, uint32_t tid) {
  uint64_t ran = 0, waited = 0, turns = 0;
  std::ifstream(fmt::format("/proc/{}/task/{}/schedstat", pid, tid)) >> ran >> waited >> turns;
  const auto [found, is_new] = turns_.try_emplace(tid, turns);
  const bool changed = !is_new && found->second != turns;
  found->second = turns;
  return changed;
}

}  // namespace sctrace::cli
