#include "preload/handlers.h"

#include <asm/unistd.h>

#include "preload/capture.h"
#include "preload/global.h"
#include "preload/signals.h"
#include "preload/surface.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

constexpr int sig_setmask = 2;
constexpr uint64_t sig_ign = 1;

// While the handler runs.
uint64_t mask_in(int signo, const Action& action, const arch::Context& context) {
  constexpr uint64_t sa_nodefer = 0x4000'0000;
  return context.mask | action.mask | (action.flags & sa_nodefer ? 0 : 1ull << (signo - 1));
}

bool is_our_entry(const Action& action) {
  return action.handler == reinterpret_cast<uint64_t>(sctrace_deliver);
}
long kernel_action(int signo, const Action* action, Action* old) {
  return raw_syscall(__NR_rt_sigaction, signo, action, old, 8);
}
bool is_guarded(int signo) { return guarded >> (signo - 1) & 1; }
}  // namespace

bool comes_before_arrival(ThreadState& self, int signo, const arch::Info& info,
                          arch::Context& context) {
  if (self.frame.phase != arch::Phase::special) return surface(self, context), false;
  if (!self.early) self.early_mask = context.mask;
  self.early = true;
  context.mask = ~guarded;
  raw_syscall(__NR_rt_tgsigqueueinfo, self.pid, self.tid, signo, &info);
  return true;
}

bool try_move_down(int signo, const Action& action, const arch::Info& info,
                   arch::Context& context) {
  constexpr uint64_t sa_onstack = 0x0800'0000;
  const auto here = reinterpret_cast<uint64_t>(&context);
  const arch::SignalStack& stack = context.stack;
  const auto holds = [&](uint64_t sp) { return sp - stack.base < stack.size; };
  if (action.flags & sa_onstack || !holds(here) || holds(context.rsp)) return false;
  const uint64_t bytes = arch::fpstate_bytes(context);
  const arch::Places at = arch::frame_below(context.rsp - arch::red_zone, bytes);
  arch::SignalFrame frame{.restorer = action.restorer, .context = context, .info = info};
  if (bytes) frame.context.fpstate = at.fpstate;
  if (!write_app(at.fpstate, reinterpret_cast<const void*>(context.fpstate), bytes) ||
      !write_app(at.frame, &frame, sizeof frame))
    return false;
  context.mask = mask_in(signo, action, context);
  context.rip = action.handler;
  context.rsp = at.frame;
  context.rax = 0;
  context.rdi = static_cast<uint64_t>(signo);
  context.rsi = at.frame + offsetof(arch::SignalFrame, info);
  context.rdx = at.frame + offsetof(arch::SignalFrame, context);
  context.eflags &= ~0x10500ull;  // RF, DF, TF
  context.fpstate = 0;
  return true;
}

void as_the_apps(int signo, const Action& action, arch::Context& context) {
  auto* frame = reinterpret_cast<arch::SignalFrame*>(reinterpret_cast<uint64_t>(&context) - 8);
  frame->restorer = action.restorer;
  const uint64_t mask = mask_in(signo, action, context);
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &mask, nullptr, 8);
}

void take_handlers(Process& process) {
  for (int signo = 1; signo <= 64; ++signo) {
    Action action{};
    if (kernel_action(signo, nullptr, &action) < 0 || is_our_entry(action)) continue;
    const Action& known = process.actions[signo];
    const bool half = action.handler == known.handler && action.flags == known.flags &&
                      action.mask == (known.mask & ~guarded);  // given back, but for its mask
    if (!half) process.actions[signo] = action;
    if (action.handler > sig_ign || is_guarded(signo)) install_kernel_action(signo, known);
  }
}

// In two steps: as long as a thread has dispatch armed, no handler may block its SIGSYS, which
// would then kill.
void give_back_others(const Process& process) {
  for (int signo = 1; signo <= 64; ++signo) {
    Action now{};
    if (is_guarded(signo) || kernel_action(signo, nullptr, &now) < 0 || !is_our_entry(now))
      continue;
    Action theirs = process.actions[signo];
    theirs.mask &= ~guarded;
    kernel_action(signo, &theirs, nullptr);
  }
}

void give_back_rest(const Process& process) {
  for (int signo = 1; signo <= 64; ++signo) {
    const Action& theirs = process.actions[signo];
    Action now{};
    if (kernel_action(signo, nullptr, &now) < 0) continue;
    const bool same = now.handler == theirs.handler && now.handler > sig_ign &&
                      now.mask == (theirs.mask & ~guarded) && now.flags == theirs.flags;
    if (is_guarded(signo) ? is_our_entry(now) : same) kernel_action(signo, &theirs, nullptr);
  }
}

}  // namespace sctrace::preload
