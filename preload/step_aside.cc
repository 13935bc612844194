#include "preload/step_aside.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <unistd.h>

#include "preload/dispositions.h"
#include "preload/environment.h"
#include "preload/global.h"
#include "preload/hook.h"
#include "preload/mappings.h"
#include "preload/process.h"
#include "preload/say.h"
#include "preload/trap.h"
#include "preload/waiting.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

constexpr int sig_setmask = 2;

// Natively nobody named us: what the child executes from its own environment does not load us.
void leave_environment() {
  constexpr char name[] = "LD_PRELOAD=";
  constexpr uint64_t length = sizeof name - 1;
  char** out = environ;
  for (char** in = environ; in && *in; ++in) {
    bool ours = true;
    for (uint64_t i = 0; ours && i < length; ++i) ours = (*in)[i] == name[i];
    if (ours && !without_us(*in + length)) continue;
    *out++ = *in;
  }
  if (out) *out = nullptr;
}

// Reads a file of /proc by pieces that overlap, and looks for a word.
bool is_in_file(const char* path, const char* word, uint64_t length) {
  const long fd = raw_syscall(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char bytes[4096];
  uint64_t kept = 0;
  bool found = false;
  for (long n; !found && (n = raw_syscall(__NR_read, fd, bytes + kept, sizeof bytes - kept)) > 0;) {
    const uint64_t size = kept + static_cast<uint64_t>(n);
    for (uint64_t at = 0; !found && at + length <= size; ++at)
      found = __builtin_memcmp(bytes + at, word, length) == 0;
    kept = size < length ? size : length - 1;
    for (uint64_t i = 0; i < kept; ++i) bytes[i] = bytes[size - kept + i];
  }
  raw_syscall(__NR_close, fd);
  return found;
}

// Each name below /proc that nobody has asked for is made by the kernel, and every process's are
// its own: the shorter of the two saves two of four, 25 us of an exec.
int64_t tracer() {
  char status[2048];
  const bool leads = raw_syscall(__NR_getpid) == raw_syscall(__NR_gettid);
  const char* path = leads ? "/proc/self/status" : "/proc/thread-self/status";
  const long fd = raw_syscall(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const long n = raw_syscall(__NR_pread64, fd, status, sizeof status, 0);
  raw_syscall(__NR_close, fd);
  constexpr char name[] = "\nTracerPid:\t";
  constexpr long length = sizeof name - 1;
  for (long at = 0; at + length < n; ++at) {
    if (__builtin_memcmp(status + at, name, length) != 0) continue;
    int64_t pid = 0;
    for (at += length; at < n && status[at] >= '0' && status[at] <= '9'; ++at)
      pid = pid * 10 + (status[at] - '0');
    return pid;
  }
  return 0;
}

}  // namespace

bool is_traced_by_ours() {
  const int64_t pid = tracer();
  if (!pid) return false;
  Line maps;
  maps.text("/proc/").number(pid).text("/maps");
  uint64_t length = 0;
  while (environment.library[length]) ++length;
  return length && is_in_file(maps.c_str(), environment.library, length);
}

void step_aside(ThreadState& self) {
  Process& process = *self.process;
  if (&process != &main_process || self.borrowed_from || self.dispatch.on || !is_alone()) return;
  constexpr uint64_t all = ~0ull;
  uint64_t mask = 0;
  const uint64_t most = ~guarded;  // a copy of ours may fault
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &most, &mask, 8);
  if (self.in_flight.recording) {
    write_exit(self, self.frame.result, self.in_flight.how);
    self.out.publish();
    self.in_flight.recording = false;
  }
  rewriter::undo(0, ~0ull, rewriter::Running::nobody);
  leave_environment();
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &all, nullptr, 8);
  send_all_waiting(self);
  if (global.sud) disarm();
  give_back_handlers(process);
  unseal();
  process.follow = false;
  global.image->unseen_threads.fetch_add(1, std::memory_order_relaxed);
  give_ring_back(self);
  sctrace_call_on(self.frame.rsp, __NR_sigaltstack, &self.alternate, nullptr);
  mask = (mask & ~guarded) | self.blocked;
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &mask, nullptr, 8);
}

}  // namespace sctrace::preload
