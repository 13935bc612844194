#include "preload/control.h"

#include <asm/unistd.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

#include "formats/wire/control.h"
#include "preload/capture.h"
#include "preload/global.h"
#include "preload/hook.h"
#include "preload/sandbox.h"
#include "preload/services.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;
using wire::ControlSlot;
using wire::SlotState;
using wire::Stop;
using wire::Verdict;

wire::ControlPage* page;
bool waits_for_controller;
sctrace_engine engine;

struct Moment {
  int64_t seconds, ns;
};
constexpr Moment patience{0, 200'000'000};  // then we look whether the hub lives

bool is_served() {
  const uint32_t owner = __atomic_load_n(&page->owner, __ATOMIC_RELAXED);
  return owner & wire::owner_mask && !(owner & wire::owner_died);
}

template <typename Word>
void wait(std::atomic<Word>& word, Word value) {
  raw_syscall(__NR_futex, &word, FUTEX_WAIT, static_cast<long>(value), &patience);
}

// Our own calls end before a filter of the program's that forbids them is there (sandbox.h).
class OwnCalls {
 public:
  explicit OwnCalls(ThreadState& self) : self_(self) { begin_own_calls(self); }
  ~OwnCalls() { end_own_calls(self_); }
  OwnCalls(const OwnCalls&) = delete;
  OwnCalls& operator=(const OwnCalls&) = delete;

 private:
  ThreadState& self_;
};

// seq_cst: either the hub sees the bell, or we that it sleeps (serve.cc). Where we may not wake it,
// it looks by itself.
void ring(ThreadState& self, const ControlSlot& slot) {
  const auto n = static_cast<uint64_t>(&slot - page->slots);
  page->asking[n / 64].fetch_or(1ull << n % 64, std::memory_order_seq_cst);
  page->doorbell.fetch_add(1, std::memory_order_seq_cst);
  if (!page->sleeps.load(std::memory_order_seq_cst)) return;
  const OwnCalls work(self);
  if (may(self, own_futex)) raw_syscall(__NR_futex, &page->doorbell, FUTEX_WAKE, 1 << 30);
}

// Null: nobody can be asked. Where a filter may forbid to wait, nobody is; nor is a thread that was
// born where it may forbid to ask for one's number: nobody could answer it.
ControlSlot* take_slot(const ThreadState& self) {
  if (!may(self, own_futex) || !self.pid || !self.tid)
    return page->lost.fetch_add(1, std::memory_order_relaxed), nullptr;
  for (uint32_t i = 0; i < wire::control_slots; ++i) {
    ControlSlot& slot = page->slots[(self.tid + i) % wire::control_slots];
    SlotState expected = SlotState::free;
    if (slot.state.compare_exchange_strong(expected, SlotState::held)) {
      slot.pid = self.pid, slot.tid = self.tid;
      slot.stops_after = 0, slot.bytes = 0;
      return &slot;
    }
  }
  page->lost.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

void give_back(ThreadState& self) {
  if (self.engaged.stop) self.engaged.stop->state.store(SlotState::free);
  self.engaged.stop = nullptr;
}

void ask(ThreadState& self, ControlSlot& slot, Stop stop) {
  slot.stop = stop;
  slot.verdict = Verdict::go_on;
  slot.state.store(SlotState::asked, std::memory_order_release);  // pairs with the hub's acquire
  ring(self, slot);
}

// get and set, by the thread itself: only it is sure of its memory. What could not be written whole
// is put back.
void serve(ThreadState& self, ControlSlot& slot) {
  const uint64_t n = slot.bytes < wire::control_data ? slot.bytes : wire::control_data;
  bool done;
  if (slot.verdict == Verdict::get) {
    done = read_app(slot.data, slot.address, n);
  } else {
    uint8_t* old = slot.data + wire::control_set_most;
    done = n <= wire::control_set_most && read_app(old, slot.address, n);
    if (done && !write_app(slot.address, slot.data, n)) {
      for (uint64_t i = 0; i < n && write_app(slot.address + i, old + i, 1); ++i) {
      }
      done = false;
    }
  }
  slot.result = done ? 0 : -EFAULT;
  ask(self, slot, Stop::reply);
}

// Where hub and controller have a processor of their own the answer comes within microseconds: to
// be woken costs as much again.
void look_for_answer(ControlSlot& slot) {
  if (!slot.luck.is_good()) return slot.luck.skip();
  const uint32_t spins = page->spins.load(std::memory_order_relaxed);
  for (uint32_t n = spins < wire::spins_most ? spins : wire::spins_most; n--;) {
    if (slot.state.load(std::memory_order_relaxed) != SlotState::asked) return slot.luck.note(true);
    __builtin_ia32_pause();
  }
  slot.luck.note(false);
}

// False: a filter came that may forbid to wait.
bool try_sleep(ThreadState& self, ControlSlot& slot) {
  const OwnCalls work(self);
  if (!may(self, own_futex)) return false;
  slot.sleeps.store(1, std::memory_order_seq_cst);  // pairs with the hub's look at it, after its
  wait(slot.state, SlotState::asked);               // answer
  slot.sleeps.store(0, std::memory_order_relaxed);
  return true;
}

// Until there is a verdict that lets the thread go. Whatever becomes of the hub, and if it takes
// the slot for a dead one's: as it is. False: the slot is the hub's to give back.
bool wait_in(ThreadState& self, ControlSlot& slot) {
  look_for_answer(slot);
  for (;;) {
    SlotState state = slot.state.load(std::memory_order_acquire);
    if (state == SlotState::answered) {
      if (slot.verdict == Verdict::go_on || slot.verdict == Verdict::answer) return true;
      serve(self, slot);
    } else if (state != SlotState::asked) {
      return slot.verdict = Verdict::go_on, false;
    } else if (!is_served()) {
      slot.verdict = Verdict::go_on;
      if (slot.state.compare_exchange_strong(state, SlotState::answered)) return true;
    } else if (!try_sleep(self, slot) &&
               slot.state.compare_exchange_strong(state, SlotState::withdrawn)) {
      return ring(self, slot), false;
    }
  }
}

// A plain buffer as far as controllers want to see it, whatever SCTRACE_STRSIZE is.
void take_memory(ThreadState& self, const Facts& facts) {
  const uint64_t limit = page->limit.load(std::memory_order_relaxed);
  const uint64_t bytes = self.frame.args[facts.in_by];
  uint64_t keep = bytes < limit ? bytes : limit;
  if (keep > wire::control_shown_most) keep = wire::control_shown_most;
  const bool more =
      facts.in == Shape::buffer && keep > kept_of(self, self.frame.args[facts.in_at], bytes);
  if (more)
    put(self, 0, self.frame.args[facts.in_at], bytes, keep);
  else
    take_in(self, facts);
}

// The entry's records, into the slot instead of the ring.
void write_records(ThreadState& self, ControlSlot& slot) {
  const RingWriter ours = self.out;
  const InFlight in_flight = self.in_flight;
  auto* header = reinterpret_cast<wire::RingHeader*>(slot.ring);
  self.out = {};
  self.out.header = header;
  self.out.bytes = slot.data;
  self.out.mask = ~0ull;
  self.out.origin = reinterpret_cast<uint64_t>(slot.data);
  self.out.limit = wire::control_data - 64;
  self.out.tsc = arch::ticks();
  self.out.dead = true;  // no room is no room
  const auto nr = static_cast<uint32_t>(self.frame.nr);
  tell_entry(self, nr, facts_for(nr), true);
  if (self.in_flight.recording && facts_for(nr).what & has_in) take_memory(self, facts_for(nr));
  slot.bytes = static_cast<uint32_t>(self.out.cursor);
  self.out = ours;
  self.in_flight = in_flight;
}

// What a controller gave the call to point at lies in the thread's block while it is made.
void point(sctrace_call* call, const ControlSlot& slot) {
  const uint32_t kept = slot.kept;
  if (!kept || kept > wire::control_kept_most) return;
  auto* bytes = static_cast<uint8_t*>(services.keep(call, kept));
  if (!bytes) return;
  const auto at = reinterpret_cast<uint64_t>(bytes);
  __builtin_memcpy(bytes, slot.data, kept);
  for (uint32_t i = 0; i < slot.pointer_count && i < wire::control_pointers; ++i) {
    uint64_t cell;
    if (slot.pointers[i] + sizeof cell > kept) continue;
    __builtin_memcpy(&cell, bytes + slot.pointers[i], sizeof cell);
    cell += at;
    __builtin_memcpy(bytes + slot.pointers[i], &cell, sizeof cell);
  }
  for (int i = 0; i < 6; ++i)
    if (slot.placed[i] < kept) call->args[i] = at + slot.placed[i];
}

sctrace_choice verdict_on(ThreadState& self, sctrace_call* call, ControlSlot& slot) {
  if (slot.verdict == Verdict::answer) {
    if (!slot.stops_after) give_back(self);
    return call->result = slot.result, SCTRACE_SKIP;
  }
  call->number = slot.number;
  for (int i = 0; i < 6; ++i) call->args[i] = slot.args[i];
  point(call, slot);
  if (!slot.stops_after) give_back(self);
  return SCTRACE_RUN;
}

sctrace_choice entry(void*, sctrace_call* call, sctrace_choice choice) {
  ThreadState& self = *reinterpret_cast<Shown*>(call)->self;
  if (call->flags & SCTRACE_REPORTED) {
    if (!self.engaged.stop) return choice;  // nobody could be waited for
    return verdict_on(self, call, *self.engaged.stop);
  }
  if (choice != SCTRACE_RUN || !is_served()) return choice;
  ControlSlot* slot = take_slot(self);
  if (!slot) return choice;
  self.engaged.stop = slot;
  slot->number = static_cast<uint32_t>(call->number);
  for (int i = 0; i < 6; ++i) slot->args[i] = call->args[i];
  slot->kept = 0, slot->pointer_count = 0;
  write_records(self, *slot);
  ask(self, *slot, Stop::entry);
  return SCTRACE_STOP;
}

void leave(void*, sctrace_call* call) {
  ThreadState& self = *reinterpret_cast<Shown*>(call)->self;
  ControlSlot* slot = self.engaged.stop;
  if (!slot) return;
  if (slot->stops_after) {
    slot->result = call->result;
    for (int i = 0; i < 6; ++i) slot->args[i] = call->args[i];
    ask(self, *slot, Stop::exit);
    if (!wait_in(self, *slot)) return void(self.engaged.stop = nullptr);
    call->result = slot->result;
  }
  give_back(self);
}

sctrace_choice on_signal(void*, sctrace_signal* signal, sctrace_choice choice) {
  ThreadState* self = state_of_stack(reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
  if (!self || !page->signals.load(std::memory_order_relaxed) || !is_served()) return choice;
  ControlSlot* slot = take_slot(*self);
  if (!slot) return choice;
  slot->number = static_cast<uint32_t>(signal->number);
  slot->bytes = 128;
  __builtin_memcpy(slot->data, signal->info, 128);
  ask(*self, *slot, Stop::signal);
  if (!wait_in(*self, *slot)) return choice;
  if (slot->verdict == Verdict::answer) choice = SCTRACE_SKIP;
  if (slot->number >= 1 && slot->number <= 64) signal->number = static_cast<int32_t>(slot->number);
  slot->state.store(SlotState::free);
  return choice;
}

void tell(const sctrace_life* event, Stop stop, uint32_t number, bool by_parent) {
  ThreadState* self = state_of_stack(reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
  if (!self || !page->told.load(std::memory_order_relaxed) || !is_served()) return;
  ControlSlot* slot = take_slot(*self);
  if (!slot) return;
  if (by_parent) {
    slot->pid = static_cast<uint32_t>(raw_syscall(__NR_getppid));
    slot->tid = static_cast<uint32_t>(event->other);
  }
  slot->number = number;
  slot->bytes = 0;
  if (stop == Stop::exec) {
    const long n = services.read_string(reinterpret_cast<char*>(slot->data), event->what, 4096);
    slot->bytes = n > 0 ? static_cast<uint32_t>(n) : 0;
  }
  ask(*self, *slot, stop);
  if (wait_in(*self, *slot)) slot->state.store(SlotState::free);
}

void life(void*, const sctrace_life* event) {
  switch (event->event) {
    case SCTRACE_PROCESS: return tell(event, Stop::fork, static_cast<uint32_t>(event->pid), true);
    case SCTRACE_EXEC: return tell(event, Stop::exec, 0, false);
    case SCTRACE_PROCESS_GONE:
      return tell(event, Stop::gone, static_cast<uint32_t>(event->status), false);
    default: return;
  }
}

// Connects, sees that the other side is of the same user, and takes the page. 0 or -errno.
long try_map(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  uint64_t n = 0;
  for (; path[n]; ++n) {
    if (n + 1 >= sizeof address.sun_path) return -ENAMETOOLONG;
    address.sun_path[n] = path[n];
  }
  const long fd = raw_syscall(__NR_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  const auto finish = [&](long result) { return raw_syscall(__NR_close, fd), result; };
  if (const long result = raw_syscall(__NR_connect, fd, &address, sizeof address); result < 0)
    return finish(result);
  struct {
    int32_t pid;
    uint32_t user, group;
  } peer{};
  uint32_t length = sizeof peer;
  raw_syscall(__NR_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
  if (peer.user != static_cast<uint32_t>(raw_syscall(__NR_geteuid))) return finish(-EPERM);
  raw_syscall(__NR_sendto, fd, wire::control_hello, sizeof wire::control_hello, MSG_NOSIGNAL, 0, 0);
  char byte;
  iovec one{&byte, 1};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &one, message.msg_iovlen = 1;
  message.msg_control = space, message.msg_controllen = sizeof space;
  const long got = raw_syscall(__NR_recvmsg, fd, &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (got != 1 || !head || head->cmsg_type != SCM_RIGHTS) return finish(got < 0 ? got : -EPROTO);
  int memory;
  __builtin_memcpy(&memory, CMSG_DATA(head), sizeof memory);
  const long where = raw_syscall(__NR_mmap, 0, sizeof(wire::ControlPage), PROT_READ | PROT_WRITE,
                                 MAP_SHARED, memory, 0);
  raw_syscall(__NR_close, memory);
  if (where < 0) return finish(where);
  page = reinterpret_cast<wire::ControlPage*>(where);
  return finish(page->version == wire::control_version ? 0 : -EPROTO);
}

}  // namespace

void open_control(const char* setting) {
  constexpr Moment pause{0, 20'000'000};
  const char* path = setting;
  constexpr char prefix[] = "wait:";
  if (__builtin_memcmp(setting, prefix, 5) == 0) path += 5, waits_for_controller = true;
  long result = try_map(path);
  while (waits_for_controller && (result == -ENOENT || result == -ECONNREFUSED)) {
    raw_syscall(__NR_nanosleep, &pause, 0);
    result = try_map(path);
  }
  if (result < 0) {
    page = nullptr;
    say(complaint(), "SCTRACE_CONTROL=", setting, ": ",
        result == -ECONNREFUSED ? "no hub serves there" : error_name(result),
        "; nobody can stop this program");
    return;
  }
  engine = {.abi = SCTRACE_ENGINE_ABI,
            .size = sizeof engine,
            .flags = SCTRACE_BARE,
            .name = "control",
            .open = nullptr,
            .entry = entry,
            .exit = leave,
            .signal = on_signal,
            .life = life};
  if (try_add_engine(&engine, "")) engines.all[engines.count - 1].live = page->wants;
}

void wait_for_controller() {
  while (waits_for_controller && page && is_served() && !page->begun.load()) wait(page->begun, 0u);
}

void wait_for_verdict(ThreadState& self) {
  if (!wait_in(self, *self.engaged.stop)) self.engaged.stop = nullptr;
}

void withdraw(ThreadState& self) {
  ControlSlot* slot = self.engaged.stop;
  if (!slot) return;
  self.engaged.stop = nullptr;
  SlotState expected = SlotState::asked;
  if (!slot->state.compare_exchange_strong(expected, SlotState::withdrawn))
    return slot->state.store(SlotState::free);
  ring(self, *slot);
}

}  // namespace sctrace::preload
