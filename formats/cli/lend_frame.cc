#include "formats/cli/lend_frame.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>

#include "formats/cli/stopped.h"

namespace sctrace::cli {

namespace {

constexpr int done = 0, unsuited = 1, forbidden = 2, stopped = 3;

// In the midst of our own work a thread is not lent; where the program waits in a call, it is.
bool is_suited(const user_regs_struct& regs, const wire::Live& live) {
  if (regs.rip < live.ours_begin || regs.rip >= live.ours_end) return true;
  return regs.rip == live.asleep && static_cast<long>(regs.orig_rax) >= 0;
}

int send_in(uint32_t tid, uint32_t pid, const wire::Live& live, uint64_t place) {
  constexpr uint64_t some = ~(1ull << 6 | 1ull << 10 | 1ull << 30);
  Stopped thread{.tid = tid, .pid = pid};
  const uint32_t number = live.done.load() + 1;
  if (!thread.try_look() || !is_suited(thread.regs, live)) return unsuited;
  const uint64_t entry = thread.has_more ? live.entry_asleep : live.entry;
  if (!thread.try_send(entry, live.stack_end, number, live.restorer)) return unsuited;
  try_write(pid, place + offsetof(wire::Live, wish) + offsetof(wire::Wish, number), &number,
            sizeof number);
  // Behind it: whoever dies before leaves a thread that does it all with its signals open.
  thread.block(some);
  return done;
}

}  // namespace

int lend_here(uint32_t tid, uint32_t pid, const wire::Live& live, uint64_t place) {
  if (::ptrace(PTRACE_SEIZE, tid, 0, 0) < 0) return errno == EPERM ? forbidden : unsuited;
  ::ptrace(PTRACE_INTERRUPT, tid, 0, 0);
  for (;;) {
    int status = 0;
    if (::waitpid(static_cast<pid_t>(tid), &status, __WALL) < 0 || !WIFSTOPPED(status))
      return unsuited;
    const int stop = stop_of(tid, status);
    if (stop > 0) return stopped;
    if (stop == 0) break;
  }
  const int result = send_in(tid, pid, live, place);
  ::ptrace(PTRACE_DETACH, tid, 0, 0);
  return result;
}

}  // namespace sctrace::cli
