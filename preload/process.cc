#include "preload/process.h"

#include <asm/unistd.h>
#include <linux/sched.h>
#include <time.h>

#include <cerrno>

#include "preload/capture.h"
#include "preload/dispositions.h"
#include "preload/engaged.h"
#include "preload/global.h"
#include "preload/hook.h"
#include "preload/live.h"
#include "preload/mappings.h"
#include "preload/part.h"
#include "preload/sandbox.h"
#include "preload/special.h"
#include "preload/told.h"
#include "preload/waiting.h"

namespace sctrace::preload {

constinit Process main_process{};

namespace {

using arch::raw_syscall;
using arch::Route;

constexpr uint64_t everything = ~guarded;  // a copy of ours may fault

uint64_t clone_flags(const ThreadState& self, uint32_t nr) {
  if (nr == __NR_fork) return 17;
  if (nr == __NR_vfork) return CLONE_VM | CLONE_VFORK | 17;
  if (nr == __NR_clone) return static_cast<uint32_t>(self.frame.args[0]);  // it takes no more
  uint64_t flags = 0;  // clone3: the first word of its struct
  read_app(&flags, self.frame.args[0], sizeof flags);
  return flags;
}

// Is the new thread's fs made by the libc that allotted our thread-local slot? Then libc's own code
// made the thread, and fs points at a control block that points at itself, twice.
bool by_our_libc(const ThreadState& self, uint64_t flags) {
  constexpr uint64_t needed = CLONE_SETTLS | CLONE_THREAD;
  if ((flags & needed) != needed) return false;
  const uint64_t site = site_of(self);
  if (site < global.libc_begin || site >= global.libc_end) return false;
  uint64_t fs = self.frame.args[4], block[3] = {};
  if (static_cast<uint32_t>(self.frame.nr) == __NR_clone3)
    read_app(&fs, self.frame.args[0] + 56, 8);
  return read_app(block, fs, sizeof block) && block[0] == fs && block[2] == fs;
}

// A table of its own, with what is in the one it has.
void own_actions(Process& process) {
  if (process.actions == process.table) return;
  __builtin_memmove(process.table, process.actions, sizeof process.table);
  process.actions = process.table;
}

// Where the kernel will tell the child's number, and where it will clear it. The first only where
// the child finds it: a parent's word is not in a fork's memory.
void find_names(const ThreadState& self, ThreadState& child, uint64_t flags) {
  const uint64_t* args = self.frame.args;
  uint64_t parents = 0, childs = 0;
  if (static_cast<uint32_t>(self.frame.nr) == __NR_clone) {
    parents = args[2], childs = args[3];
  } else if (static_cast<uint32_t>(self.frame.nr) == __NR_clone3) {
    read_app(&childs, args[0] + 16, 8);
    read_app(&parents, args[0] + 24, 8);
  }
  child.gone_at = flags & CLONE_CHILD_CLEARTID ? childs : 0;
  child.name_at = flags & CLONE_CHILD_SETTID                        ? childs
                  : flags & CLONE_VM && flags & CLONE_PARENT_SETTID ? parents
                                                                    : 0;
}

// The child's own number. 0: nobody tells, for a filter forbids to ask.
uint32_t name_of(const ThreadState& self) {
  if (may(self, own_name)) return static_cast<uint32_t>(raw_syscall(__NR_gettid));
  uint32_t name = 0;
  return self.name_at && read_app(&name, self.name_at, sizeof name) ? name : 0;
}

// The child's state in our memory: what it goes on from, and what it inherits of the app's view.
void inherit(ThreadState& child, const ThreadState& self, uint64_t flags) {
  child.frame = self.frame;
  child.frame.result = 0;
  child.frame.phase = arch::Phase::special;
  child.site_index = self.site_index;
  child.process = self.process;
  child.pid = self.pid;
  child.parent = self.tid;
  child.blocked = self.blocked;
  child.pending = 0;
  child.engaged = self.engaged;
  child.engaged.stop = nullptr;
  for (uint32_t& calls : child.engaged.injected) calls = 0;
  child.child_flags = flags;
  child.child_mask = self.child_mask;
  child.slot = flags & CLONE_VFORK        ? Slot::keep
               : by_our_libc(self, flags) ? Slot::write
                                          : Slot::leave;
  child.began = flags & CLONE_VFORK ? wire::Began::vfork : wire::Began::clone;
  child.alternate = {
      .base = 0, .flags = 2, .reserved = 0, .size = 0};  // SS_DISABLE: as the kernel does
  if (flags & CLONE_VFORK) child.alternate = self.alternate;
  if (!(flags & CLONE_THREAD)) {  // a process of its own in our memory
    auto* copy = reinterpret_cast<Process*>(block_of(child));
    *copy = *self.process;
    copy->claimed = copy->waiting = copy->at_work = 0;
    if (!(flags & CLONE_SIGHAND)) own_actions(*copy);
    child.process = copy;
  }
}

}  // namespace

Route clone_enter(ThreadState& self, uint32_t nr) {
  const uint64_t flags = clone_flags(self, nr);
  ThreadState* child = &self;
  self.child_flags = flags;
  self.emptied = false;
  self.in_flight.after =
      After::clone;  // from here on a guarded signal waits: it could not undo a birth
  begin_own_calls(self);
  self.child_mask = swap_mask(self, everything) & ~guarded;
  if (flags & CLONE_VM) {
    child = try_new_thread(&self);
    if (child) inherit(*child, self, flags);
    if (child && flags & CLONE_VFORK) child->borrowed_from = &self;
    if (child) begin_own_calls(*child);
  }
  if (child) find_names(self, *child, flags);
  if (!child) {  // no memory for its state: as a kernel says that has none for its stack
    self.child_flags = 0;
    self.frame.child = &self.frame;
    self.frame.result = -EAGAIN;
    return Route::skip;
  }
  self.frame.child = &child->frame;
  if (child != &self && !(flags & (CLONE_SETTLS | CLONE_VFORK)))
    unseal();  // both will go by the trap
  return Route::child;
}

void clone_leave(ThreadState& self) {
  auto* child = reinterpret_cast<ThreadState*>(self.frame.child);
  const int64_t result = self.frame.result;
  self.frame.child = &self.frame;  // a signal that the last step lets in brings us here once more
  if (child != &self && result < 0) cut_own_calls(*child);
  if (child != &self && (result < 0 || self.child_flags & CLONE_VFORK)) {
    if (self.child_flags & CLONE_VFORK && result >= 0) {
      RingWriter& out = self.out;  // the child wrote into our ring
      point_slot(self);
      out.limit = child->out.limit, out.origin = child->out.origin, out.tsc = child->out.tsc,
      out.populated = child->out.populated;
      out.dead = child->out.dead, out.calls = child->out.calls;
      if (out.header) out.cursor = out.published();
      free_exec_memory(*child);
      const auto began = self.began;
      self.began = wire::Began::back;
      if (self.process->follow) write_thread_record(self);
      self.began = began;
    }
    child->borrowed_from = nullptr;
    child->out.leave_ring();
    forget_thread(*child);
  }
  // In a handler it was this mask that let its signal in. Once more, it would let in the next one
  // on top of it, and the first would not reach the app.
  if (self.delivery != Delivery::begun) swap_mask(self, self.child_mask);
  self.in_flight.after = After::nothing;
  send_waiting(self);
  end_own_calls(self);
}

void take_anchor() {
  wire::Image& image = *global.image;
  const wire::Anchor& first = global.measures.first;
  timespec mono{};
  const uint32_t turn = image.last_turn.load(std::memory_order_relaxed) ^ 1;
  const uint64_t tsc = arch::ticks();
  raw_syscall(__NR_clock_gettime, CLOCK_MONOTONIC, &mono);
  const uint64_t now =
      static_cast<uint64_t>(mono.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(mono.tv_nsec);
  image.last[turn & 1] = {.tsc = tsc + (arch::ticks() - tsc) / 2,
                          .monotonic = now,
                          .realtime = first.realtime + (now - first.monotonic)};
  image.last_turn.store(turn, std::memory_order_release);
}

void thread_leaves(ThreadState& self) {
  count_besides(self);
  self.in_flight.recording = false;
  give_ring_back(self);
  thread_is_exiting(self);
}

namespace {

// Its processor time, which the kernel tells of nobody who is gone.
void tell_spent(ThreadState& self) {
  if (self.borrowed_from || !self.out.header) return;  // a vfork child, in its parent's ring
  timespec spent{};
  raw_syscall(__NR_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &spent);
  self.out.header->spent.store(
      static_cast<uint64_t>(spent.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(spent.tv_nsec),
      std::memory_order_relaxed);
}

}  // namespace

void process_leaves(ThreadState& self, bool for_good) {
  count_besides(self);
  if (may(self, own_others) && global.image) {
    take_anchor();
    if (for_good) tell_spent(self);
  }
  // The ring is not given back: another process must not write where our threads may still be.
}

}  // namespace sctrace::preload

using namespace sctrace::preload;

namespace {

// What a child is that got a copy of our memory: alone in it.
void begin_alone(ThreadState& self) {
  forget_waiting(self);
  forget_other_threads(self);
  text_after_fork();
  self.slot = Slot::keep;
  self.began = sctrace::wire::Began::fork;
  self.parent = self.tid;
  if (self.process != &main_process) main_process = *self.process, self.process = &main_process;
  own_actions(main_process);
  main_process.at_work = self.own_work = 0;
  self.dispatch = {};  // as the kernel does
  live.busy.store(0);  // who was lent is not here
  self.engaged.stop = nullptr;
  for (uint32_t& calls : self.engaged.injected) calls = 0;
}

// Does any door lead from its code to us?
bool is_reachable(const ThreadState& self) {
  return (self.slot != Slot::leave && global.stub_count) ||
         (global.sud && may(self, own_arm | own_return));
}

// Whom the child is, and where it records. Nowhere, if nobody tells it its number.
void name_child(ThreadState& self, uint64_t flags) {
  self.tid = name_of(self);
  if (!(flags & CLONE_THREAD)) {
    const bool may_ask = may(self, own_name);
    self.pid = may_ask ? static_cast<uint32_t>(raw_syscall(__NR_getpid)) : self.tid;
    self.process->pid = self.pid;
    if (!global.config.follow_fork) self.process->follow = false;
  }
  if (self.borrowed_from) {
    self.out = self.borrowed_from->out;
    if (self.out.header) self.out.cursor = self.out.published();
    return;
  }
  self.out = {};
  if (!self.process->follow || !global.image) return;
  if (self.tid && is_reachable(self))
    take_ring(self);
  else
    global.image->unseen_threads.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

// The child's first steps, on its own stack, all signals blocked, before any instruction of the
// app.
extern "C" void sctrace_child(ThreadState& self) {
  const uint64_t flags = self.child_flags;
  if (!(flags & CLONE_VM)) begin_alone(self);
  if (flags & CLONE_CLEAR_SIGHAND) have_no_handlers(self);
  self.frame.result = 0;
  self.in_flight.recording = self.in_flight.engaged = self.in_flight.counting = false;
  self.engaged.raised = 0;
  end_engaged(self);
  const bool parts = !self.borrowed_from && !is_reachable(self) && may_part_at_birth(self);
  if (parts && flags & CLONE_VM) self.slot = Slot::leave;
  name_child(self, flags);
  if (!self.process->follow) self.out.leave_ring();
  settle(self, self.slot);
  if (self.out.header) write_thread_record(self);
  tell_birth(self);
  if (flags & CLONE_VM && !self.borrowed_from && !is_reachable(self))
    thread_is_exiting(self);            // we won't hear of its end
  self.in_flight.after = After::clone;  // until the mask is the app's again
  self.frame.phase = sctrace::arch::Phase::left;
  if (parts)
    part_at_birth(self);
  else if (flags & CLONE_VM)
    set_mask_and_stack(self, self.child_mask);
  else
    swap_mask(self, self.child_mask);  // its alternate stack is where it was
  self.in_flight.after = After::nothing;
  send_waiting(self);
  end_own_calls(self);
  if (!is_open() && !parts) part(self);  // born while doors were shut: nobody else asks it to
}
