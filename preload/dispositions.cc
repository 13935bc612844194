#include "preload/dispositions.h"

#include <asm/unistd.h>

#include <cerrno>

#include "preload/capture.h"
#include "preload/global.h"
#include "preload/live.h"
#include "preload/sandbox.h"
#include "preload/surface.h"
#include "preload/waiting.h"

namespace sctrace::preload {
namespace {

using arch::Context;
using arch::Info;
using arch::raw_syscall;

// What the kernel keeps of sa_flags (UAPI_SA_FLAGS and SA_RESTORER); it forgets the rest.
constexpr uint64_t sa_known = 0x1 | 0x2 | sa_siginfo | 0x800 | sa_onstack | 0x1000'0000 |
                              sa_nodefer | sa_resethand | sa_restorer;
constexpr uint64_t unblockable = 1ull << (9 - 1) | 1ull << (19 - 1);
constexpr int32_t ss_onstack = 1;

}  // namespace

long set_kernel_action(int signo, const Action& action) {
  return raw_syscall(__NR_rt_sigaction, signo, &action, 0, 8);
}

bool is_on_stack(const Altstack& alternate, uint64_t sp) {
  return alternate.size && !(alternate.flags & ss_autodisarm) && sp > alternate.base &&
         sp - alternate.base <= alternate.size;
}

void adopt_handlers(Process& process) {
  for (int signo = 1; signo <= 64; ++signo) {
    Action& action = process.actions[signo];
    if (raw_syscall(__NR_rt_sigaction, signo, 0, &action, 8) < 0) continue;
    if (action.handler > sig_ign || is_guarded(signo)) install_kernel_action(signo, action);
  }
}

void give_back_handlers(const Process& process) {
  for (int signo = 1; signo <= 64; ++signo)
    if (const Action& action = process.actions[signo];
        action.handler > sig_ign || is_guarded(signo))
      set_kernel_action(signo, action);
}

long install_kernel_action(int signo, const Action& app) {
  const bool theirs = app.handler <= sig_ign || live.handlers_theirs.load();
  if (theirs && !is_guarded(signo)) return set_kernel_action(signo, app);
  const Action ours{.handler = reinterpret_cast<uint64_t>(sctrace_deliver),
                    .flags = (app.flags & ~(sa_resethand | sa_nodefer)) | sa_siginfo | sa_onstack |
                             sa_restorer | (is_guarded(signo) ? sa_nodefer : 0),
                    .restorer = reinterpret_cast<uint64_t>(&sctrace_restorer),
                    .mask = ~guarded};
  return set_kernel_action(signo, ours);
}

namespace {

// Where we answer in the kernel's place, a filter of the app still has a word in it.
long verdict_on(const ThreadState& self, long nr, long signo) {
  return self.process->filters ? raw_syscall(nr, signo, 0, 0, 8) : 0;
}

}  // namespace

// Not 0 from the kernel is the answer, whatever it means: a filter's SIGSYS leaves the number
// there.
long app_sigaction(ThreadState& self, const uint64_t* args) {
  const int signo = static_cast<int>(args[0]);
  Action wish{};
  if (args[3] != 8) return -EINVAL;
  if (args[1] && !read_app(&wish, args[1], sizeof wish)) return -EFAULT;
  if (signo < 1 || signo > 64 || (args[1] && unblockable & bit(signo))) return -EINVAL;
  Action& slot = self.process->actions[signo];
  const Action old = slot;
  if (wish.handler == reinterpret_cast<uint64_t>(sctrace_deliver)) wish = old;  // seen at an `on`
  if (!args[1])
    if (const long said = verdict_on(self, __NR_rt_sigaction, signo)) return said;
  if (args[1]) {
    wish.flags &= sa_known;
    wish.mask &= ~unblockable;
    // A handler is in the table before the kernel may call it, and stays there until it no longer
    // may.
    if (wish.handler > sig_ign) slot = wish;
    if (const long said = install_kernel_action(signo, wish)) return slot = old, said;
    slot = wish;
    if (Info none; wish.handler == sig_ign && is_guarded(signo))
      take_waiting(self, bit(signo), none);
  }
  return args[2] && !write_app(args[2], &old, sizeof old) ? -EFAULT : 0;
}

namespace {
long set_alternate(ThreadState& self, const Altstack& wish, uint64_t sp) {
  if (is_on_stack(self.alternate, sp)) return -EPERM;
  const int32_t mode = wish.flags & ~ss_autodisarm;
  if (mode != ss_disable && mode != ss_onstack && mode != 0) return -EINVAL;
  if (mode == ss_disable) {
    self.alternate = {.base = 0, .flags = wish.flags, .reserved = 0, .size = 0};
    return 0;
  }
  if (wish.size < 2048) return -ENOMEM;  // the kernel's MINSIGSTKSZ
  self.alternate = {.base = wish.base, .flags = wish.flags, .reserved = 0, .size = wish.size};
  return 0;
}
}  // namespace

long app_sigaltstack(ThreadState& self, const uint64_t* args) {
  if (const long said = verdict_on(self, __NR_sigaltstack, 0)) return said;
  Altstack wish{}, old = self.alternate;
  const uint64_t sp = self.frame.rsp;
  old.flags = (old.flags & ss_autodisarm) | (!old.size                         ? ss_disable
                                             : is_on_stack(self.alternate, sp) ? ss_onstack
                                                                               : 0);
  if (args[0] && !read_app(&wish, args[0], sizeof wish)) return -EFAULT;
  if (args[0])
    if (const long result = set_alternate(self, wish, sp)) return result;
  if (!args[1]) return 0;
  const bool written = write_app(args[1], &old.base, 8) && write_app(args[1] + 8, &old.flags, 4) &&
                       write_app(args[1] + 16, &old.size, 8);
  return written ? 0 : -EFAULT;
}

// The program's frame may lie where nobody can write by now: the kernel gets a copy.
uint64_t app_sigreturn(ThreadState& self, uint64_t at) {
  static_assert(kept_most >= sizeof(Context) + 16);
  const uint64_t copy = block_of(self) + kept_offset + 16;
  auto& context = *reinterpret_cast<Context*>(copy);
  if (!read_app(&context, at, sizeof context)) return at;  // the kernel will say so, by SIGSEGV
  // One that the kernel made while handlers were the program's says what was ours (live.h).
  if (context.stack.base != block_of(self) + stack_offset) {
    Altstack wish;
    __builtin_memcpy(&wish, &context.stack, sizeof wish);
    set_alternate(self, wish, at);
    self.blocked = context.mask & guarded;
  }
  context.stack = {.base = block_of(self) + stack_offset,
                   .flags = 0,
                   .gap = 0,
                   .size = block_bytes - stack_offset - sizeof(ThreadState)};
  context.mask &= ~guarded;
  context.rip = resumable(context.rip);
  return copy;
}

void have_no_handlers(ThreadState& self) {
  for (int signo = 1; signo <= 64; ++signo) {
    Action& action = self.process->actions[signo];
    const uint64_t handler = action.handler == sig_ign ? sig_ign : sig_dfl;
    action = {.handler = handler, .flags = 0, .restorer = 0, .mask = 0};
    if (is_guarded(signo) && may(self, own_action)) install_kernel_action(signo, action);
  }
}

void ignore_for_exec(Process& process, bool going) {
  for (int signo : {sigbus, sigsegv, sigsys}) {
    const Action& action = process.actions[signo];
    if (action.handler != sig_ign) continue;
    if (going)
      set_kernel_action(signo, action);
    else
      install_kernel_action(signo, action);
  }
}

}  // namespace sctrace::preload

extern "C" uint64_t sctrace_return_beside(sctrace::preload::ThreadState& self, uint64_t at) {
  auto& phase = const_cast<volatile sctrace::arch::Phase&>(self.frame.phase);
  const sctrace::arch::Phase before = phase;  // of the call that this is beside
  phase = sctrace::arch::Phase::special;
  const uint64_t place = sctrace::preload::app_sigreturn(self, at);
  phase = before;
  return place;
}
