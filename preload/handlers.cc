#include "preload/handlers.h"

#include <asm/unistd.h>

#include "preload/dispositions.h"
#include "preload/handler_frame.h"
#include "preload/surface.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

bool is_our_entry(const Action& action) {
  return action.handler == reinterpret_cast<uint64_t>(sctrace_deliver);
}
long kernel_action(int signo, const Action* action, Action* old) {
  return raw_syscall(__NR_rt_sigaction, signo, action, old, 8);
}
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
  const auto here = reinterpret_cast<uint64_t>(&context);
  const arch::SignalStack& stack = context.stack;
  const auto holds = [&](uint64_t sp) { return sp - stack.base < stack.size; };
  if (action.flags & sa_onstack || !holds(here) || holds(context.rsp)) return false;
  arch::SignalFrame frame{.restorer = action.restorer, .context = context, .info = info};
  const uint64_t mask = context.mask | blocked_in(signo, action);
  if (!enter_handler(signo, action.handler, context.rsp - arch::red_zone, frame, context))
    return false;
  context.mask = mask;
  return true;
}

// The mask is opened as the handler begins, in one step: a signal that came before, while we are on
// the way, would find the thread in code of ours, and in no call.
void enter_as_the_apps(int signo, const Action& action, arch::Context& context) {
  const uint64_t at = reinterpret_cast<uint64_t>(&context) - offsetof(arch::SignalFrame, context);
  reinterpret_cast<arch::SignalFrame*>(at)->restorer = action.restorer;
  arch::Context entry = context;
  entry.mask = context.mask | blocked_in(signo, action);
  if (context.stack.flags & ss_autodisarm)
    entry.stack = {.base = 0, .flags = ss_disable, .gap = 0, .size = 0};
  begin_handler(signo, action.handler, at, entry);
  sctrace_return_by(&entry);
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
