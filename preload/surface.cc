#include "preload/surface.h"

#include "preload/ending.h"
#include "preload/engaged.h"
#include "preload/global.h"
#include "preload/hook.h"
#include "preload/live.h"

namespace sctrace::preload {
namespace {

using arch::Context;
using arch::Phase;

uint64_t address(const char* label) { return reinterpret_cast<uint64_t>(label); }
bool between(uint64_t pc, const char* from, const char* to) {
  return pc >= address(from) && pc < address(to);
}

// The site that a tail belongs to, be it a stub's or the address behind a trapped site.
uint64_t site_of_tail(uint64_t tail) {
  const rewriter::Stub* stub = rewriter::stub_of(tail);
  return stub ? stub->site : tail - 2;
}

void callee_saved(const arch::Frame& call, Context& context) {
  context.rbx = call.rbx;
  context.rbp = call.rbp;
  context.r12 = call.r12;
  context.r13 = call.r13;
  context.r14 = call.r14;
  context.r15 = call.r15;
}

void arguments(const arch::Frame& call, Context& context) {
  context.rdi = call.args[0];
  context.rsi = call.args[1];
  context.rdx = call.args[2];
  context.r10 = call.args[3];
  context.r8 = call.args[4];
  context.r9 = call.args[5];
}

// As if the site had not been reached: it will be executed again.
void before_the_call(ThreadState& self, Context& context) {
  const arch::Frame& call = self.frame;
  callee_saved(call, context);
  arguments(call, context);
  context.rsp = call.rsp;
  context.rax = call.nr;
  context.eflags = call.flags;
  context.rip = site_of_tail(call.tail);
}

void after_the_call(ThreadState& self, Context& context) {
  before_the_call(self, context);
  context.rax = static_cast<uint64_t>(self.frame.result);
  context.rip += 2;
  context.rcx = context.rip;
  context.r11 = self.frame.flags;
}

void finish(ThreadState& self) {
  RingWriter& out = self.out;
  if (self.frame.phase == Phase::left) {
    if (out.header && !out.dead) out.publish();  // written in full, perhaps not shown yet
    if (self.engaged.pending) end_engaged(self);
    return;
  }
  if (out.header) out.cursor = out.published();
  sctrace_leave(self);
}

// In the first instructions of the trampoline: the app's registers are where they were.
bool in_head(ThreadState& self, Context& context) {
  const uint64_t pc = context.rip;
  if (between(pc, sctrace_is_free, sctrace_saved)) self.frame.phase = Phase::left;
  if (between(pc, sctrace_trampoline, sctrace_rbx_is_ours)) {
    const uint64_t tail = context.r11 + (pc == address(sctrace_slow_jump) ? 2 : 0);
    context.rip = site_of_tail(tail);
    return true;
  }
  if (!between(pc, sctrace_rbx_is_ours, sctrace_saved)) return false;
  if (pc >= address(sctrace_rsp_is_ours)) context.rsp = self.frame.rsp;
  context.rbx = self.frame.rbx;
  context.rip = site_of_tail(self.frame.tail);
  return true;
}

// At the kernel's own door. Where it stands on the instruction again, rcx tells a call that is to
// be restarted (the kernel put its return address there) from one that was never made.
bool at_the_kernel(ThreadState& self, Context& context) {
  const uint64_t pc = context.rip;
  if (pc == address(sctrace_site)) {
    if (context.rcx == address(sctrace_returned)) {
      const uint64_t number = context.rax;  // restart_syscall, perhaps
      const bool same = number == self.frame.nr;
      write_restarted(self);
      before_the_call(self, context);
      if (!same) context.rax = number;
      context.rcx = context.rip + 2;
      context.r11 = self.frame.flags;
    } else {
      undo(self);
      before_the_call(self, context);
    }
    return true;
  }
  if (!between(pc, sctrace_returned, sctrace_result_saved)) return false;
  self.frame.result = static_cast<int64_t>(context.rax);
  self.frame.phase = Phase::returned;
  finish(self);
  after_the_call(self, context);
  return true;
}

}  // namespace

bool is_ours(uint64_t pc) {
  return (pc >= global.guest_begin && pc < global.guest_end) ||
         between(pc, sctrace_gate_begin, sctrace_gate_end);
}

bool in_hallway(const ThreadState& self, const Context& context) {
  if (between(context.rip, sctrace_gate_begin, sctrace_gate_end)) return true;
  return is_ours(context.rip) && context.rsp - block_of(self) < block_bytes;
}

bool in_stub(uint64_t pc) { return rewriter::stub_of(pc) != nullptr; }

bool is_returning(uint64_t pc) {
  return pc == address(sctrace_sigreturn_site) ||
         between(pc, sctrace_beside_return, sctrace_beside_end);
}

bool has_just_begun(uint64_t pc) { return between(pc, sctrace_trampoline, sctrace_saved); }

bool is_unfinished(Phase phase) { return phase == Phase::entered || phase == Phase::returned; }

bool was_interrupted(const ThreadState& self, const Context& context) {
  constexpr int64_t interrupted = -4;  // EINTR
  const bool back = between(context.rip, sctrace_returned, sctrace_result_saved);
  if (back) return static_cast<int64_t>(context.rax) == interrupted;
  return self.frame.phase == Phase::returned && self.frame.result == interrupted;
}

void step_out_of_stub(Context& context) {
  const rewriter::Stub* stub = rewriter::stub_of(context.rip);
  if (!stub) return;
  if (context.rip >= stub->tail && context.rip < stub->end) context.rcx = stub->site + 2;
  context.rip = rewriter::original_pc(*stub, context.rip);
}

void surface(ThreadState& self, Context& context) {
  if (in_stub(context.rip)) return step_out_of_stub(context);
  if (in_head(self, context)) return;
  if (between(context.rip, sctrace_go_on, sctrace_go_on_end)) live.busy.store(0);
  if (!at_the_kernel(self, context)) {
    switch (self.frame.phase) {
      case Phase::entering:
      case Phase::entered:
        undo(self);
        before_the_call(self, context);
        break;
      case Phase::left:
        if (between(context.rip, sctrace_around, sctrace_around_end))  // still to be made
          return before_the_call(self, context);
        [[fallthrough]];
      case Phase::returned:
        finish(self);
        after_the_call(self, context);
        break;
      case Phase::special: return;
    }
  }
  self.frame.phase = Phase::left;  // or the next call would go beside it
}

void step_out(const ThreadState& self, Context& context) {
  const uint64_t pc = context.rip;
  if (!between(pc, sctrace_beside, sctrace_beside_return)) return;
  const bool birth = pc > address(sctrace_beside_birth_site);
  const bool made =
      birth || (pc > address(sctrace_beside_site) && pc < address(sctrace_beside_birth));
  const bool saved = pc >= address(sctrace_beside_saved);
  const uint64_t tail = birth ? self.beside.birth_tail : saved ? self.beside.tail : context.r11;
  context.rip = site_of_tail(tail) + (made ? 2 : 0);
  context.rcx = context.rip;
  context.r11 = context.eflags;
}

// Behind a call the kernel leaves no trap: the next is that of the next instruction.
bool is_step_of_ours(const ThreadState& self, const Context& context) {
  const uint64_t pc = context.rip;
  if (is_ours(pc) || self.engaged.calling) return true;
  if (const rewriter::Stub* stub = rewriter::stub_of(pc)) return !rewriter::ends_a_move(*stub, pc);
  return pc == self.frame.behind && context.rcx == pc;
}

uint64_t resumable(uint64_t pc) { return rewriter::relocated(pc); }

}  // namespace sctrace::preload
