// The program's signal world as if we weren't there: where a signal lands. Every handler that the
// program installs is entered through sctrace_deliver: on our stack, all signals but the guarded
// blocked. From there the program is shown a frame on the stack where it expects one, with the
// registers of the site: a call in flight is undone (the kernel has not run) or finished (it has),
// so nothing of ours is ever suspended under a handler, and a handler that never returns leaves
// nothing behind.
#include <asm/unistd.h>

#include "arch/x86_64/aside.h"
#include "preload/dispatch.h"
#include "preload/dispositions.h"
#include "preload/engine.h"
#include "preload/global.h"
#include "preload/handler_frame.h"
#include "preload/hook.h"
#include "preload/live.h"
#include "preload/load.h"
#include "preload/part.h"
#include "preload/rings.h"
#include "preload/sandbox.h"
#include "preload/special.h"
#include "preload/surface.h"
#include "preload/told.h"
#include "preload/trap.h"
#include "preload/waiting.h"

namespace sctrace::preload {
namespace {

using arch::Context;
using arch::Info;
using arch::raw_syscall;

constexpr int sigtrap = 5;
constexpr int sys_seccomp = 1, sys_user_dispatch = 2, trap_trace = 2;

// Default action of a signal that only we keep the kernel from taking: let it, with the same
// siginfo. A fault comes again by itself; one that comes while it is blocked kills, whatever
// handler there is, and that takes no call that a filter could forbid. Of a filter's own SIGSYS the
// call comes again.
void die_natively(ThreadState& self, int signo, const Info& info, Context& context) {
  const bool fault = info.code > 0 && !is_of_dispatch(info);
  make_again(info, context);
  context.mask &= ~bit(signo);
  if (fault && !may(self, own_action))
    context.mask |= bit(signo);
  else
    set_kernel_action(signo, {});
  if (!fault)  // sent by somebody
    raw_syscall(__NR_rt_tgsigqueueinfo, self.process->pid, self.tid, signo, &info);
}

// rdtsc faults after prctl(PR_SET_TSC) and in strict seccomp: time stands still from there on.
bool is_our_rdtsc(const Context& context) {
  const auto* code = reinterpret_cast<const uint8_t*>(context.rip);
  return is_ours(context.rip) && code[0] == 0x0f && code[1] == 0x31;
}

void answer_rdtsc(Context& context, uint64_t now) {
  context.rax = now & 0xffffffff;
  context.rdx = now >> 32;
  context.rip += 2;
}

// sandbox.h: the mask, and the alternate stack, by a fault in place of a call.
void answer_mask(Context& context) {
  const uint64_t before = context.mask, block = context.rsi;
  context.mask = context.rdi;
  context.rax = before;
  context.rip += 1;
  if (!block) return;
  const Altstack ours = stack_of(*state_of_block(block));
  context.stack = {.base = ours.base, .flags = 0, .gap = 0, .size = ours.size};
}

// A fault of our own copies, or of the ring's memory: ours to mend, nobody hears of it.
bool mended(int signo, const Info& info, Context& context) {
  if ((signo != sigsegv && signo != sigbus) || info.code <= 0) return false;
  if (signo == sigsegv && is_our_rdtsc(context)) {
    const ThreadState* self = state_of_stack(context.rsp);
    return answer_rdtsc(context, self ? self->out.tsc + 1 : 0), true;
  }
  auto is = [&](const char* label) { return context.rip == reinterpret_cast<uint64_t>(label); };
  auto go = [&](const char* label) {
    return context.rip = reinterpret_cast<uint64_t>(label), true;
  };
  if (signo == sigbus && is_ours(context.rip) && is_in_rings(info.address)) {
    global.session->stopped.store(1, std::memory_order_relaxed);
    return lose_rings(), true;
  }
  if (context.rip == reinterpret_cast<uint64_t>(&sctrace_fault_for_mask))
    return answer_mask(context), true;
  if (const uint64_t behind = landing_of(context.rip)) return context.rip = behind, true;
  if (is(sctrace_copy_begin)) return go(sctrace_copy_fault);
  if (is(sctrace_probe_touch)) return go(sctrace_probe_fault);
  if (is(sctrace_copy_string_load) || is(sctrace_copy_string_store) || is(sctrace_copy_word_load) ||
      is(sctrace_copy_word_store))
    return go(sctrace_copy_string_fault);
  if (is(sctrace_fs_touched)) return go(sctrace_slow);
  if (ThreadState* self = state_of_stack(context.rsp); self && self->escape) {
    context.rsp = self->escape;
    return go(sctrace_aside_fault);
  }
  // The hlt of a patch in progress (rewriter/apply.h): what the kernel says of it is no address.
  constexpr int si_kernel = 0x80;
  if (const uint64_t place =
          signo == sigsegv && info.code == si_kernel ? rewriter::instead_of(context.rip) : 0)
    return context.rip = place, true;
  return false;
}

// The signal comes back when the special work is done, or at the latest when the mask is restored.
void defer(ThreadState& self, int signo, const Info& info, Context& context) {
  if (!self.deferred) self.deferred_mask = context.mask & ~guarded;
  self.deferred = static_cast<uint32_t>(self.frame.nr) != __NR_rt_sigreturn;  // brings its own mask
  context.mask = ~guarded;
  begin_own_calls(self);
  self.kept_here = self.deferred && !may(self, own_queue | own_mask) && may(self, own_return);
  if (self.kept_here)
    self.deferred_info = info;
  else
    raw_syscall(__NR_rt_tgsigqueueinfo, self.process->pid, self.tid, signo, &info);
  end_own_calls(self);
}

// The app's masks: the one in force, and the one that the handler returns to. They differ where the
// call in flight waited under a mask of its own.
struct Masks {
  uint64_t now, back;
};

// Lays the app's frame where the kernel would have and makes our own return lead into the handler.
bool deliver(ThreadState& self, int signo, const Info& info, Context& context, const Action& action,
             const Masks& masks) {
  const bool switches =
      action.flags & sa_onstack && self.alternate.size && !is_on_stack(self.alternate, context.rsp);
  const uint64_t top =
      switches ? self.alternate.base + self.alternate.size : context.rsp - arch::red_zone;
  arch::SignalFrame frame{.restorer = action.restorer, .context = context, .info = info};
  __builtin_memcpy(&frame.context.stack, &self.alternate, sizeof self.alternate);
  frame.context.mask = masks.back;
  if (!enter_handler(signo, action.handler, top, frame, context)) return false;
  context.ss = self.stack_segment;
  if (self.alternate.flags & ss_autodisarm)
    self.alternate = {.base = 0, .flags = ss_disable, .reserved = 0, .size = 0};
  const uint64_t mask = masks.now | blocked_in(signo, action);
  self.blocked = mask & guarded;
  context.mask = mask & ~guarded;
  return true;
}

bool to_the_app(ThreadState& self, int signo, const Info& info, Context& context,
                const Masks& masks);

// A handler's stack is no stack: as the kernel, the signal becomes a SIGSEGV, which may have a
// handler that finds a better one.
void without_stack(ThreadState& self, int signo, Context& context, const Masks& masks) {
  constexpr int si_kernel = 0x80;
  const Action& action = self.process->actions[sigsegv];
  if (signo == sigsegv || action.handler <= sig_ign || masks.now & bit(sigsegv)) {
    set_kernel_action(sigsegv, {});
    raw_syscall(__NR_tgkill, self.process->pid, self.tid, sigsegv);
    return;
  }
  Info forced{};
  forced.signo = sigsegv;
  forced.code = si_kernel;
  to_the_app(self, sigsegv, forced, context, masks);
}

Place place_of(const Context& context) {
  return {context.rip, context.rsp, context.rbp, context.rdi};
}

// False: it waits.
bool to_the_app(ThreadState& self, int signo, const Info& info, Context& context,
                const Masks& masks) {
  Action& slot = self.process->actions[signo];
  const Action action = slot;
  const bool forced = is_guarded(signo) && info.code > 0;  // a fault: neither blocked nor ignored
  if (is_guarded(signo) && !forced && masks.now & bit(signo)) return keep(self, signo, info), false;
  if (action.handler == sig_ign && !forced) return true;
  if (action.handler <= sig_ign || (forced && masks.now & bit(signo))) {
    write_signal(self, &info, place_of(context));  // the last that anybody hears of this process
    return die_natively(self, signo, info, context), true;
  }
  if (const int other = ask_about_signal(self, signo, info, context.rip); other != signo) {
    if (!other) return false;  // dropped
    return raw_syscall(__NR_tgkill, self.process->pid, self.tid, other), false;
  }
  if (action.flags & sa_resethand) {
    slot.handler = sig_dfl;
    install_kernel_action(signo, slot);
  }
  const Place interrupted = place_of(context);
  if (!deliver(self, signo, info, context, action, masks))
    return without_stack(self, signo, context, masks), true;
  write_signal(self, &info, interrupted);
  return true;
}

// What a filter says to a call that we make in the app's stead.
Info as_at_the_site(const ThreadState& self, int signo, Info info) {
  if (signo == sigsys && info.code == sys_seccomp) info.address = site_of(self) + 2;
  return info;
}

// False where we return into work of ours that will itself send what waits, once it is done.
bool on_signal(ThreadState& self, int signo, const Info& info, Context& context) {
  if (signo != sigtrap) step_out(self, context);
  const bool ours = in_hallway(self, context) || self.engaged.calling;
  if (signo == sigtrap && info.code == trap_trace && is_step_of_ours(self, context))
    return true;  // stepped through us
  // The phase of a call says nothing about one that has only begun.
  const bool begun = has_just_begun(context.rip);
  const bool special =
      (self.frame.phase == arch::Phase::special && !begun) || is_returning(context.rip);
  if (ours && is_guarded(signo) && (special || self.in_flight.after == After::clone)) {
    if (self.in_flight.after == After::sigreturn)
      hold_until_return(self, signo, info, context);
    else
      keep(self, signo, as_at_the_site(self, signo, info));
    return false;
  }
  if (ours && special) return defer(self, signo, info, context), false;
  const bool in_call = ours && !begun && is_unfinished(self.frame.phase);
  const bool cut = in_call && was_interrupted(self, context);
  const bool masked = in_call && self.in_flight.after == After::masked_wait;
  if (in_call && self.in_flight.after == After::signal_wait) self.awaited = 0;
  const bool installs = in_call && self.in_flight.after == After::sandbox;
  if (ours || in_stub(context.rip)) surface(self, context);
  if (ours) cut_own_calls(self);
  if (installs && context.rip == site_of(self)) filter_undone(self);
  if (masked) self.blocked = self.previous_blocked;
  if (ours && self.deferred) context.mask = self.deferred_mask;
  self.deferred = self.kept_here = false;
  context.mask &= ~guarded;  // held, perhaps
  const uint64_t back = context.mask | self.blocked;
  const Masks masks{.now = masked && cut ? self.mask_copy[1] : back, .back = back};
  Info seen = info;
  if (signo == sigsys && info.code == sys_seccomp && ours)
    seen.address = context.rip;  // the app's own filter: it was the site that called
  if (signo == sigtrap && info.code == trap_trace) seen.address = context.rip;
  // A call cut short by what the app can't see yet is made again.
  const bool came = !is_guarded(signo) || try_understand(self, signo, seen);
  if (!(came && to_the_app(self, signo, seen, context, masks)) && cut) {
    context.rip -= 2;
    context.rax = self.frame.nr;
  }
  context.rip = resumable(context.rip);
  return true;
}

}  // namespace
}  // namespace sctrace::preload

using namespace sctrace::preload;

// The first and last instructions of a delivery. A guarded signal, which no mask holds back, may
// come in them, before Delivery says so or after: they lie in a section of their own, and call
// nothing else.
extern "C" {
extern const char __start_sctrace_entry[] __attribute__((visibility("hidden")));
extern const char __stop_sctrace_entry[] __attribute__((visibility("hidden")));
}

namespace {
using namespace sctrace::arch;

[[gnu::always_inline]] inline bool within(uint64_t pc, const char* begin, const char* end) {
  return pc >= reinterpret_cast<uint64_t>(begin) && pc < reinterpret_cast<uint64_t>(end);
}

// One that comes while another is being delivered waits: that one goes first.
[[gnu::always_inline]] inline bool comes_second(const ThreadState& self, int signo,
                                                const Info& info, const Context& context) {
  if (info.code > 0 || (signo != sigbus && signo != sigsegv && signo != sigsys)) return false;
  if (within(context.rip, __start_sctrace_entry, __stop_sctrace_entry) ||
      within(context.rip, sctrace_deliver, sctrace_deliver_end))
    return true;
  return self.delivery == Delivery::begun &&
         (self.engaged.calling || within(context.rip, sctrace_gate_begin, sctrace_gate_end) ||
          (context.rip >= global.guest_begin && context.rip < global.guest_end));
}

[[gnu::always_inline]] inline bool has_waiting(const ThreadState& self) {
  const uint32_t places = __atomic_load_n(&self.process->waiting, __ATOMIC_RELAXED);
  return (self.pending | (places & 1 ? bit(sigbus) : 0) | (places & 2 ? bit(sigsegv) : 0) |
          (places & 4 ? bit(sigsys) : 0)) &
         ~self.blocked;
}

[[gnu::always_inline]] inline void set(ThreadState& self, Delivery delivery) {
  asm volatile("" ::: "memory");
  self.delivery = delivery;
  asm volatile("" ::: "memory");
}

[[gnu::noinline]] bool receive(ThreadState& self, int signo, const Info& info, Context& context) {
  let_go(self);
  if (signo == sigsegv && context.rip == reinterpret_cast<uint64_t>(&sctrace_fault_for_signal)) {
    context.rip += 1;
    const Info kept = self.deferred_info;
    if (is_of_dispatch(kept)) send_back(self);
    return on_signal(self, kept.signo, kept, context);
  }
  if (signo == sigsegv && context.rip == reinterpret_cast<uint64_t>(&sctrace_fault_for_parting))
    return part_by_fault(self, context), false;
  if (signo != sigsys || info.code != sys_user_dispatch)
    return on_signal(self, signo, info, context);
  if (self.dispatch.on && is_int80(info) && sends_back(self, context.rip))
    return on_signal(self, signo, info, context);
  if (!is_open() && may_part_at(self, context.rsp)) return part_by_trap(self, context), false;
  trapped(self, info, context);
  return true;
}

// Without a call: on top of what is being delivered.
[[gnu::noinline]] void deliver_waiting(ThreadState& self, Context& context) {
  Info info;
  if (const int signo = take_waiting(self, ~self.blocked, info))
    on_signal(self, signo, info, context);
}

}  // namespace

// Returns where to jump with the arguments as they came, or 0: return to the context, as it is now.
extern "C" [[gnu::section("sctrace_entry")]] uint64_t sctrace_on_signal(int signo, Info* info,
                                                                        Context* context) {
  ThreadState* self = state_of_stack(reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
  uint16_t segment;
  asm volatile("movw %%ss, %0" : "=r"(segment));
  if (signo == sigsys && info->code == sys_user_dispatch) {
    if (self && self->engaged.calling && engine_called(*context)) [[unlikely]]
      return 0;
  } else if (info->code > 0 && mended(signo, *info, *context)) {
    return 0;
  }
  if (!self) return bare_signal(signo, *info, *context);  // or not ours yet, or no more
  const Delivery before = self->delivery;
  bool send = true;
  const bool second = comes_second(*self, signo, *info, *context);
  set(*self, Delivery::begun);
  if (!second) self->stack_segment = segment;
  if (!second)
    send = receive(*self, signo, *info, *context);
  else if (before == Delivery::begun)
    keep(*self, signo, *info);
  else
    hold_until_return(*self, signo, *info, *context);
  if (second && before == Delivery::begun) return 0;
  set(*self, Delivery::done);
  while (send && has_waiting(*self)) {
    set(*self, Delivery::begun);
    if (sends_by_fault(*self))
      deliver_waiting(*self, *context);
    else
      send_on_return(*self);
    set(*self, Delivery::done);
  }
  return 0;
}
