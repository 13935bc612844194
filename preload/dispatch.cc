#include "preload/dispatch.h"

#include <asm/unistd.h>

#include <cerrno>

#include "preload/capture.h"
#include "preload/global.h"
#include "preload/live.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

constexpr uint64_t off = 0, exclusive = 1, inclusive = 2;
constexpr uint8_t allow = 0, block = 1;
constexpr int sigsegv = 11, sigsys = 31, sys_user_dispatch = 2;
constexpr uint32_t arch_x86_64 = 0xc000'003e;  // AUDIT_ARCH_X86_64

std::atomic<bool> any;

// By arguments that no kernel takes, so that nothing is changed: what filters of the program say to
// it, and which modes there are (the inclusive one is of Linux 6.16).
long asked_of_kernel(const uint64_t* args) {
  return raw_syscall(__NR_prctl, args[0], args[1], ~0ull, 1, args[4]);
}
bool has_inclusive() {
  constexpr uint64_t nowhere = 1ull << 63;  // no user's address: EFAULT, once the mode is known
  return raw_syscall(__NR_prctl, 59, inclusive, 1, 1, nowhere) == -EFAULT;
}

// Above what four levels of page tables reach there is memory only where there are five.
bool is_users(uint64_t address) {
  uint8_t byte;
  return address < 1ull << 47 || read_app(&byte, address, 1);
}

// As the kernel ends a program whose selector is none: no handler is asked.
void end_by(const ThreadState& self, int signo) {
  constexpr uint64_t none[4] = {};
  constexpr int sig_unblock = 1;
  const uint64_t mask = 1ull << (signo - 1);
  raw_syscall(__NR_rt_sigaction, signo, none, 0, 8);
  raw_syscall(__NR_tgkill, self.process->pid, self.tid, signo);
  raw_syscall(__NR_rt_sigprocmask, sig_unblock, &mask, 0, 8);
}

}  // namespace

long app_dispatch(ThreadState& self, const uint64_t* args) {
  const uint64_t mode = args[1], offset = args[2], length = args[3], selector = args[4];
  if (!global.sud) return -EINVAL;  // a site without a door would escape it
  if (const long said = self.process->filters ? asked_of_kernel(args) : -EINVAL; said != -EINVAL)
    return said;
  if (mode == off) {
    if (offset || length || selector) return -EINVAL;
    return self.dispatch = {}, 0;
  }
  if (mode != exclusive && (mode != inclusive || !has_inclusive())) return -EINVAL;
  const bool is_none = mode == inclusive ? !length : !offset;
  if (mode == inclusive ? is_none || offset + length <= offset
                        : !is_none && offset + length <= offset)
    return -EINVAL;
  if (selector && !is_users(selector)) return -EFAULT;
  self.dispatch = {.on = true, .offset = offset, .length = length, .selector = selector};
  if (mode == inclusive)  // all but the range
    self.dispatch.offset = offset + length, self.dispatch.length = 0 - length;
  if (any.exchange(true)) return 0;
  for (Facts& facts : global.facts) facts.what = as_dispatch_wants(facts.what);
  return 0;
}

bool is_any_dispatching() { return any.load(std::memory_order_relaxed); }

uint8_t as_dispatch_wants(uint8_t what) {
  if (!is_any_dispatching() || !(what & is_wanted)) return what;
  return static_cast<uint8_t>((what & ~is_wanted) | is_asked);
}

bool sends_back(const ThreadState& self, uint64_t behind) {
  const Dispatch& dispatch = self.dispatch;
  if (!dispatch.on || behind - dispatch.offset < dispatch.length) return false;
  if (!dispatch.selector) return true;
  uint8_t state;
  if (!read_app(&state, dispatch.selector, 1)) end_by(self, sigsegv);
  if (state > block) end_by(self, sigsys);
  return state != allow;
}

bool is_of_dispatch(const arch::Info& info) {
  return info.signo == sigsys && info.code == sys_user_dispatch;
}

void ask_dispatch(ThreadState& self) {
  if (!sends_back(self, self.frame.behind)) return;
  arch::Info& info = self.deferred_info;
  const auto number = static_cast<uint32_t>(self.frame.nr);
  info = {};
  info.signo = sigsys;
  info.code = sys_user_dispatch;
  info.address = self.frame.behind;
  __builtin_memcpy(info.rest + 8, &number, 4);        // si_syscall
  __builtin_memcpy(info.rest + 12, &arch_x86_64, 4);  // si_arch
  sctrace_fault_for_signal();                         // until it faults, a signal undoes the call
}

void send_back(ThreadState& self) {
  self.frame.result = static_cast<int64_t>(self.frame.nr);
  self.frame.phase = arch::Phase::returned;
}

}  // namespace sctrace::preload
