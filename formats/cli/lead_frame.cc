#include "formats/cli/lead_frame.h"

#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <map>
#include <vector>

#include "arch/x86_64/frame.h"
#include "formats/cli/stopped.h"

namespace sctrace::cli {

namespace {

using Clock = std::chrono::steady_clock;
using arch::Frame;

constexpr uint64_t syscall_bytes = 2;

// It has come by itself meanwhile, or is no more.
bool is_known(const Led& thread, uint32_t pid, const wire::Live& live) {
  uint32_t tid = 0, use = 0, bond = 0;
  return try_read(pid, thread.state + live.tid_at, &tid, sizeof tid) && tid == thread.tid &&
         try_read(pid, thread.state + live.use_at, &use, sizeof use) && use == 1 &&
         try_read(pid, thread.state + live.bond_at, &bond, sizeof bond) &&
         static_cast<wire::Bond>(bond) == wire::Bond::known;
}

// As the trap of its call would have left it (trapped() in preload/trap.cc); its mask is its own.
bool try_go_on_by_the_gate(const Stopped& stopped, const Led& thread, const wire::Live& live) {
  const uint64_t behind = stopped.regs.rip;
  struct {
    uint32_t door;
    uint64_t behind;
  } __attribute__((packed)) came{1, behind};
  static_assert(offsetof(Frame, behind) == offsetof(Frame, door) + 4);
  if (!try_write(stopped.pid, thread.state + offsetof(Frame, rbx), &stopped.regs.rbx, 8) ||
      !try_write(stopped.pid, thread.state + offsetof(Frame, tail), &behind, 8) ||
      !try_write(stopped.pid, thread.state + offsetof(Frame, door), &came, sizeof came))
    return false;
  user_regs_struct there = stopped.back;
  there.rip = live.common;
  there.rbx = thread.state;
  there.orig_rax = ~0ul;
  return ::ptrace(PTRACE_SETREGS, stopped.tid, 0, &there) == 0;
}

// While the call that it is in is still below some handler on its stack, the kernel's frame of that
// lies there, with our gate as the place to return to. On the stack of ours there may be old ones:
// then it is left as it is.
bool has_frame_of_call(uint32_t pid, uint64_t begin, uint64_t end, const wire::Live& live) {
  constexpr uint64_t most = 1 << 20;
  if (begin >= end) return false;
  if (end - begin > most) return true;  // who knows
  std::vector<uint64_t> words((end - begin) / 8);
  if (!try_read(pid, begin & ~7ull, words.data(), words.size() * 8)) return true;
  return std::find_if(words.begin(), words.end(), [&](uint64_t word) {
           return word == live.asleep || word + syscall_bytes == live.asleep;
         }) != words.end();
}

// On the stack where it would be led: a handler of the program has interrupted us there.
bool is_on_our_stack(const user_regs_struct& regs, const Led& thread, const wire::Live& live) {
  const uint64_t block = thread.state & ~(uint64_t{live.block_bytes} - 1);
  return regs.rsp - block < live.block_bytes;
}

// The handlers were the program's own by then, and nobody told us (preload/live.h).
void end_call_left_by_jump(const Led& thread, uint32_t pid, const wire::Live& live) {
  constexpr auto entered = static_cast<uint32_t>(arch::Phase::entered);
  constexpr uint32_t left = 0;
  user_regs_struct regs;
  uint32_t phase = 0;
  uint64_t rsp = 0;
  if (::ptrace(PTRACE_GETREGS, thread.tid, 0, &regs) < 0 ||
      regs.rip - live.ours_begin < live.ours_end - live.ours_begin ||
      !try_read(pid, thread.state + live.phase_at, &phase, sizeof phase) || phase != entered ||
      !try_read(pid, thread.state + offsetof(Frame, rsp), &rsp, sizeof rsp) ||
      is_on_our_stack(regs, thread, live) || has_frame_of_call(pid, regs.rsp, rsp, live))
    return;
  try_write(pid, thread.state + live.phase_at, &left, sizeof left);
}

void lead(const Led& thread, uint32_t pid, const wire::Live& live) {
  if (thread.is_ours) return end_call_left_by_jump(thread, pid, live);
  Stopped stopped{.tid = thread.tid, .pid = pid};
  if (!is_known(thread, pid, live) || !stopped.try_look() ||
      stopped.regs.rip - live.ours_begin < live.ours_end - live.ours_begin ||
      is_on_our_stack(stopped.regs, thread, live))
    return;
  if (stopped.sleeps) {
    (void)try_go_on_by_the_gate(stopped, thread, live);
  } else if (stopped.try_send(live.led, thread.state, thread.state, live.restorer)) {
    stopped.block(~0ull);
  }
}

class Leading {
 public:
  Leading(uint32_t pid, const wire::Live& live, Clock::time_point end)
      : pid_(pid), live_(live), end_(end) {
    sigemptyset(&stops_);
    sigaddset(&stops_, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &stops_, nullptr);
  }

  void ask(const Led& thread) {
    if (::ptrace(PTRACE_SEIZE, thread.tid, 0, 0) < 0) return;
    ::ptrace(PTRACE_INTERRUPT, thread.tid, 0, 0);
    asked_[thread.tid] = thread;
  }

  void take_longer(unsigned ms) { end_ = Clock::now() + std::chrono::milliseconds(ms); }
  bool waits_for_ours() const {
    return std::any_of(asked_.begin(), asked_.end(),
                       [](const auto& one) { return one.second.is_ours; });
  }

  // Serves whoever stops until no more than `most` of those asked have not. False: it is time to
  // end.
  bool serve(size_t most) {
    while (asked_.size() > most) {
      int status = 0;
      const pid_t tid = ::waitpid(-1, &status, __WALL | WNOHANG);
      if (tid > 0) {
        serve_one(static_cast<uint32_t>(tid), status);
        continue;
      }
      const auto left = std::chrono::nanoseconds(end_ - Clock::now()).count();
      if (tid < 0 || left <= 0) return false;
      const timespec time{left / 1'000'000'000, left % 1'000'000'000};
      ::sigtimedwait(&stops_, nullptr, &time);
    }
    return true;
  }

 private:
  void serve_one(uint32_t tid, int status) {
    const auto found = asked_.find(tid);
    if (found == asked_.end()) return;
    if (WIFSTOPPED(status)) {
      const int stop = stop_of(tid, status);
      if (stop < 0) return;  // another comes
      if (stop == 0) lead(found->second, pid_, live_);
      ::ptrace(PTRACE_DETACH, tid, 0, 0);
    }
    asked_.erase(found);
  }

  uint32_t pid_;
  const wire::Live& live_;
  Clock::time_point end_;
  sigset_t stops_{};
  std::map<uint32_t, Led> asked_;
};

}  // namespace

// Those that run are all asked at once, as each stops when it gets a processor; of those that sleep
// a few at a time, so that none stands still for longer than it takes.
void lead_here(const std::vector<Led>& threads, uint32_t pid, const wire::Live& live,
               unsigned patience_ms) {
  constexpr size_t few = 8;
  constexpr unsigned longer_ms = 250;  // to get a processor, on a busy machine
  Leading leading(pid, live, Clock::now() + std::chrono::milliseconds(patience_ms));
  const auto running = static_cast<size_t>(
      std::count_if(threads.begin(), threads.end(), [](const Led& one) { return !one.sleeps; }));
  for (const Led& thread : threads)
    if (!thread.sleeps) leading.ask(thread);
  const bool in_time = std::all_of(threads.begin(), threads.end(), [&](const Led& one) {
    if (one.sleeps) leading.ask(one);
    return !one.sleeps || leading.serve(running + few);
  });
  if ((in_time && leading.serve(0)) || !leading.waits_for_ours()) return;
  leading.take_longer(longer_ms);
  leading.serve(0);
}

}  // namespace sctrace::cli
