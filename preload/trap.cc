#include "preload/trap.h"

#include <asm/unistd.h>

#include <cerrno>

#include "preload/arrive.h"
#include "preload/capture.h"
#include "preload/dispositions.h"
#include "preload/global.h"
#include "preload/handlers.h"
#include "preload/live.h"
#include "preload/part.h"
#include "preload/sandbox.h"
#include "preload/surface.h"

namespace sctrace::preload {

extern Process main_process;

namespace {
constexpr int pr_set_syscall_user_dispatch = 59, pr_sys_dispatch_on = 1;
constexpr int32_t arch_x86_64 = static_cast<int32_t>(0xc000'003e);  // AUDIT_ARCH_X86_64
}  // namespace

long try_arm() {
  const auto begin = reinterpret_cast<uint64_t>(sctrace_gate_begin);
  const auto end = reinterpret_cast<uint64_t>(sctrace_gate_end);
  // No selector: whatever is outside the range traps. The range test alone costs 4 ns a call, a
  // selector 23.
  return arch::raw_syscall(__NR_prctl, pr_set_syscall_user_dispatch, pr_sys_dispatch_on, begin,
                           end - begin, 0);
}

void disarm() { arch::raw_syscall(__NR_prctl, pr_set_syscall_user_dispatch, 0, 0, 0, 0); }

bool is_int80(const arch::Info& info) {
  int32_t machine;
  __builtin_memcpy(&machine, reinterpret_cast<const char*>(&info) + 28, sizeof machine);  // si_arch
  return machine != arch_x86_64;
}

namespace {

// rt_sigprocmask beside another call: the kernel's own would block our signals.
void change_mask(ThreadState& self, arch::Context& context) {
  constexpr uint64_t sig_block = 0, sig_unblock = 1, sig_setmask = 2;
  const uint64_t how = context.rdi, old = (context.mask & ~guarded) | self.blocked;
  uint64_t set = 0, now = old;
  context.rcx = context.rip;
  context.rax = static_cast<uint64_t>(-EFAULT);
  if (context.rsi && !read_app(&set, context.rsi, 8)) return;
  if (context.rsi && how == sig_block) now |= set;
  if (context.rsi && how == sig_unblock) now &= ~set;
  if (context.rsi && how == sig_setmask) now = set;
  context.mask = now & ~guarded;
  self.blocked = now & guarded;
  if (context.rdx && !write_app(context.rdx, &old, 8)) return;
  const bool good = context.r10 == 8 && (!context.rsi || how <= sig_setmask);
  context.rax = good ? 0 : static_cast<uint64_t>(-EINVAL);
}

// Something of ours is under way in this thread: a debugger has stopped it there.
bool try_go_beside(ThreadState& self, arch::Context& context) {
  if (!may(self, own_others) || !fs_leads_to(self)) return false;
  if (static_cast<uint32_t>(context.rax) == __NR_rt_sigprocmask)
    return change_mask(self, context), true;
  context.r11 = context.rip;
  context.rip = reinterpret_cast<uint64_t>(sctrace_beside);
  return true;
}

}  // namespace

void trapped(ThreadState& self, const arch::Info& info, arch::Context& context) {
  if (is_int80(info)) {  // made right here, in the 32-bit world's registers, and counted
    context.rax = static_cast<uint64_t>(static_cast<int64_t>(sctrace_int80(&context)));
    if (self.out.header) self.out.header->untraced.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const uint64_t behind = context.rip;
  // A handler that has interrupted us at the end of a call, and was not ours (preload/live.h).
  const bool is_on_our_stack = context.rsp - block_of(self) < block_bytes;
  const bool under_way = self.frame.phase != arch::Phase::left || is_on_our_stack;
  if (under_way && try_go_beside(self, context)) return;
  self.frame.rbx = context.rbx;
  self.frame.tail = behind;
  self.frame.door = 1;
  self.frame.behind = behind;
  self.site_index = wire::site_bits;
  if (const rewriter::Stub* stub =
          rewriter::stub_of(behind)) {  // its own syscall: fs is not what we gave it
    self.frame.behind = stub->site + 2;
    const auto index = stub - global.stubs;
    if (index < wire::site_max) self.site_index = static_cast<uint16_t>(index);
  }
  context.rbx = reinterpret_cast<uint64_t>(&self);
  context.rip = reinterpret_cast<uint64_t>(sctrace_common);
}

namespace {

// What we only keep from its default action: a fault comes again, a call that a filter has trapped
// is made again, what was sent is sent again.
void die_bare(int signo, const arch::Info& info, arch::Context& context) {
  constexpr uint64_t none[4] = {};
  const auto may_all = [](uint32_t what) { return !(main_process.forbidden & what); };
  make_again(info, context);
  if (info.code > 0 && !may_all(own_action)) {
    context.mask |= 1ull << (signo - 1);  // one that comes while it is blocked kills
    return;
  }
  if (!may_all(own_action | own_name | own_queue)) return;
  arch::raw_syscall(__NR_rt_sigaction, signo, none, 0, 8);
  if (info.code > 0) return;
  const long pid = arch::raw_syscall(__NR_getpid), tid = arch::raw_syscall(__NR_gettid);
  arch::raw_syscall(__NR_rt_tgsigqueueinfo, pid, tid, signo, &info);
}

}  // namespace

void make_again(const arch::Info& info, arch::Context& context) {
  constexpr int sys_seccomp = 1;
  if (info.signo != sigsys || info.code != sys_seccomp) return;
  int32_t number;
  __builtin_memcpy(&number, info.rest + 8, sizeof number);  // si_syscall
  context.rip -= 2;
  context.rax = static_cast<uint32_t>(number);
}

uint64_t bare_signal(int signo, const arch::Info& info, arch::Context& context) {
  step_out_of_stub(context);
  ThreadState* const known = known_thread();
  if (known && is_ours(context.rip) && comes_before_arrival(*known, signo, info, context)) return 0;
  const Action action = main_process.actions[signo];
  if (action.handler > 1) {
    if (!live.turn.load(std::memory_order_relaxed) && !has_any_parted_at_birth())
      return action.handler;
    if (try_move_down(signo, action, info, context)) return 0;
    enter_as_the_apps(signo, action, context);
  }
  if (is_guarded(signo) && (info.code > 0 || action.handler == 0)) die_bare(signo, info, context);
  return 0;
}

}  // namespace sctrace::preload
