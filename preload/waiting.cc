#include "preload/waiting.h"

#include <asm/unistd.h>
#include <linux/sched.h>

#include "preload/global.h"
#include "preload/sandbox.h"

namespace sctrace::preload {
namespace {

using arch::Info;
using arch::raw_syscall;

constexpr int numbers[] = {7, 11, 31};  // by place
constexpr int sig_block = 0, sig_unblock = 1, si_tkill = -6;
// The kernel lets nobody send another thread what a third one sent. So the other is only told that
// something waits for the process, by the same signal with a code that nobody else uses.
constexpr int32_t told = -0x5c7ace;

constexpr uint64_t bit(int signo) { return 1ull << (signo - 1); }
int place_of(int signo) { return signo == numbers[0] ? 0 : signo == numbers[1] ? 1 : 2; }

uint64_t set_of(uint64_t places) {
  uint64_t set = 0;
  for (int i = 0; i < 3; ++i)
    if (places & 1u << i) set |= bit(numbers[i]);
  return set;
}

void send(const ThreadState& to, int signo, const Info& info) {
  raw_syscall(__NR_rt_tgsigqueueinfo, to.process->pid, to.tid, signo, &info);
}

// The process's own, which threads take from each other: claimed, then filled; emptied, then free.
bool put(Process& process, int place, const Info& info) {
  if (__atomic_fetch_or(&process.claimed, 1u << place, __ATOMIC_SEQ_CST) & 1u << place)
    return false;
  process.waiting_info[place] = info;
  __atomic_fetch_or(&process.waiting, 1u << place, __ATOMIC_SEQ_CST);
  return true;
}

bool take(Process& process, int place, Info& info) {
  if (!(__atomic_fetch_and(&process.waiting, ~(1u << place), __ATOMIC_SEQ_CST) & 1u << place))
    return false;
  info = process.waiting_info[place];
  __atomic_fetch_and(&process.claimed, ~(1u << place), __ATOMIC_SEQ_CST);
  return true;
}

bool take(ThreadState& self, int place, Info& info) {
  if (self.pending & bit(numbers[place])) {
    self.pending &= ~bit(numbers[place]);
    info = self.pending_info[place];
    return true;
  }
  return take(*self.process, place, info);
}

struct Wanted {
  const ThreadState& self;
  int signo;
};

// Another thread of the process that would take it at once, or waits for it.
bool would_take(const ThreadState& other, void* data) {
  const auto& wanted = *static_cast<Wanted*>(data);
  if (&other == &wanted.self || other.process != wanted.self.process) return false;
  const uint64_t closed = __atomic_load_n(&other.blocked, __ATOMIC_SEQ_CST) &
                          ~__atomic_load_n(&other.awaited, __ATOMIC_SEQ_CST);
  return !(closed & bit(wanted.signo));
}

void keep_for_process(ThreadState& self, int signo, const Info& info) {
  if (!put(*self.process, place_of(signo), info)) return;
  Wanted wanted{self, signo};  // whoever unblocks it from here on finds it without us
  const ThreadState* other = find_thread(would_take, &wanted);
  if (!other) return;
  Info call{};
  call.signo = signo;
  call.code = told;
  send(*other, signo, call);
}

}  // namespace

// In a child that a fork has just made, what waits is still its parent's.
void forget_parents(ThreadState& self) {
  if (self.in_flight.after != After::clone || self.emptied || self.child_flags & CLONE_VM ||
      !may(self, own_name) || static_cast<uint32_t>(raw_syscall(__NR_getpid)) == self.process->pid)
    return;
  forget_waiting(self);
}

void keep(ThreadState& self, int signo, const Info& info) {
  forget_parents(self);
  if (info.code == told) return;  // it still waits for the process
  // What the app does not block waits for us, in this thread, and not long.
  const bool for_process = info.code <= 0 && info.code != si_tkill && self.blocked & bit(signo);
  if (for_process) return keep_for_process(self, signo, info);
  if (self.pending & bit(signo)) return;
  self.pending_info[place_of(signo)] = info;
  self.pending |= bit(signo);
}

bool try_understand(ThreadState& self, int signo, Info& info) {
  return info.code != told || take(*self.process, place_of(signo), info);
}

uint64_t waiting(const Process& process) {
  return set_of(__atomic_load_n(&process.waiting, __ATOMIC_SEQ_CST));
}
uint64_t waiting(const ThreadState& self) { return self.pending | waiting(*self.process); }

int take_waiting(ThreadState& self, uint64_t set, Info& info) {
  for (int i = 0; i < 3; ++i)
    if (set & bit(numbers[i]) && take(self, i, info)) return numbers[i];
  return 0;
}

bool sends_by_fault(const ThreadState& self) {
  return !may(self, own_queue | own_mask) && may(self, own_return);
}

void send_waiting(ThreadState& self) {
  for (int i = 0; i < 3; ++i) {
    Info info;
    if (self.blocked & bit(numbers[i]) || !take(self, i, info)) continue;
    if (!sends_by_fault(self)) {
      send(self, numbers[i], info);
      continue;
    }
    self.deferred_info = info;
    sctrace_fault_for_signal();
  }
}

void send_all_waiting(ThreadState& self) {
  Info info;
  while (const int signo = take_waiting(self, guarded, info)) send(self, signo, info);
}

void send_on_return(ThreadState& self) {
  self.held = true;
  raw_syscall(__NR_rt_sigprocmask, sig_block, &guarded, 0, 8);
  send_waiting(self);
}

void hold_until_return(ThreadState& self, int signo, const Info& info, arch::Context& context) {
  keep(self, signo, info);
  send_on_return(self);
  context.mask |= guarded;
}

void let_go(ThreadState& self) {
  if (!self.held) [[likely]]
    return;
  self.held = false;
  raw_syscall(__NR_rt_sigprocmask, sig_unblock, &guarded, 0, 8);
}

void forget_waiting(ThreadState& self) {
  if (self.emptied) return;
  self.emptied = true;
  self.pending = 0;
  self.process->claimed = self.process->waiting = 0;
}

}  // namespace sctrace::preload
