#include "preload/live.h"

#include <asm/unistd.h>
#include <linux/futex.h>
#include <sys/mman.h>

#include "arch/x86_64/barrier.h"
#include "formats/wire/expression_parse.h"
#include "preload/adopt.h"
#include "preload/arrive.h"
#include "preload/config.h"
#include "preload/dispatch.h"
#include "preload/dispositions.h"
#include "preload/engine.h"
#include "preload/environment.h"
#include "preload/global.h"
#include "preload/handlers.h"
#include "preload/judge.h"
#include "preload/mappings.h"
#include "preload/part.h"
#include "preload/process.h"
#include "preload/say.h"
#include "preload/texts.h"
#include "rewriter/swap.h"

extern "C" void sctrace_lent(uint32_t number);
extern "C" void* sctrace_work_asleep(uint32_t number, const sctrace::arch::Context& context);

namespace sctrace::preload {

constinit wire::Live live{};

namespace {

using arch::raw_syscall;
using wire::Outcome;

constexpr int patience = 2'000'000;  // some 50 ms
ThreadState* service;                // its block is the stack of who is lent

// While there is one thread it takes no time; later the kernel waits for all processors, 15 ms.
void register_barrier() { arch::barriers.try_register(arch::register_barrier); }

// All that the program's processors have under way is done, and was done before what follows.
void settle_memory() {
  register_barrier();  // it may be registered already
  raw_syscall(__NR_membarrier, arch::barrier, 0, 0);
}

// Calls that were begun before text led to us: sigaction among them would see what is ours. Not by
// nanosleep: who is lent may have to go on with one.
void let_calls_end() {
  int64_t pause[2] = {0, 300'000};
  raw_syscall(__NR_pselect6, 0, 0, 0, 0, pause, 0);
}

// The child of a fork that we have not seen: its memory says what was so in its parent.
void see_a_fork() {
  const auto pid = static_cast<uint32_t>(raw_syscall(__NR_getpid));
  live.pid = pid;
  if (pid == main_process.pid) return;
  main_process.pid = pid;
  main_process.actions = main_process.table;
  main_process.at_work = 0;
}

// Where they were not asked for until now: what is unmapped from here on is forgotten, and so what
// is known of what is mapped stays true.
bool try_begin_stacks() {
  if (global.knows_frames) return true;
  if (!try_lock_text(patience)) return false;
  global.knows_frames = true;
  settle_memory();
  let_calls_end();
  know_all_frames();
  unlock_text();
  return true;
}

void take_setting(const wire::Wish& wish, Outcome& outcome) {
  Config& config = global.config;
  if (wish.sets_stack) {
    Stacks asked;
    if (!parse_stacks(wish.stack, asked)) return void(outcome = Outcome::bad_setting);
    if (asked != Stacks::off && is_open() && !try_begin_stacks())
      return void(outcome = Outcome::busy);
    config.stack = asked;
  }
  if (wish.sets_strsize && !try_strsize(wish.strsize, config)) outcome = Outcome::bad_setting;
  if (wish.sets_capture)
    config.capture_in = wish.capture & 1, config.capture_out = wish.capture & 2;
  if (wish.sets_filter) {
    config.filter = wish.filter;
    if (config.least_ns) wire::require_duration(config.filter, config.least_ns);
    config.asks_for_paths = wire::asks_for(config.filter, wire::Field::path);
    config.asks_for_time = wire::asks_for(config.filter, wire::Field::dur);
    if (config.asks_for_time && !global.ns_per_tick) learn_clock();
  }
}

void set_recording(bool on) {
  live.recording.store(on, std::memory_order_seq_cst);
  live.turn.fetch_add(1, std::memory_order_seq_cst);
  global.session->off.store(on ? 0 : main_process.pid, std::memory_order_relaxed);
}

void count_sites(const rewriter::Swapped& swapped) {
  live.sites_open = swapped.open;
  live.sites_shut = swapped.shut;
  live.objects_left = swapped.texts_left;
}

// All threads that there are, those too that others make meanwhile.
void adopt_all(bool strangers, bool sealed) {
  constexpr int rounds = 16;
  for (int i = 0; i < rounds && adopt_threads(live.strange_threads, strangers, sealed); ++i) {
  }
}

// Threads are made known before text leads to us: whoever comes by then goes past us until handlers
// are ours, and around us until all is ready, so that nobody sees these (try_arrive() in
// arrive.cc).
Outcome open_all(bool strangers) {
  if (global.config.doors == Doors::trap || !global.stubs) return Outcome::no_stubs;
  if (!try_lock_text(patience)) return Outcome::busy;
  const bool was_open = is_open();
  adopt_all(strangers, was_open);
  settle_memory();
  if (!was_open) look_at_texts(*service);
  if (!was_open && global.config.stack != Stacks::off) know_all_frames();
  count_sites(rewriter::open_doors());
  adopt_all(strangers, true);
  let_calls_end();
  live.handlers_theirs.store(0, std::memory_order_seq_cst);
  live.turn.fetch_add(1, std::memory_order_seq_cst);  // bare_signal() in trap.cc looks from here on
  take_handlers(main_process);
  live.open.store(1, std::memory_order_seq_cst);  // pairs with has_parted() in adopt.cc
  set_recording(true);
  decide();
  unlock_text();
  adopt_all(strangers, true);
  return live.sites_open ? Outcome::done : Outcome::no_text;
}

// Text first: a handler of the app may run on our stack from when it is the kernel's until its
// thread has parted, so that no stub may lead that thread there. Who parts waits for the handlers.
void shut_all() {
  decide();
  remember_texts();
  if (!rewriter::shut_doors()) rewriter::undo(0, ~0ull, rewriter::Running::anybody);
  live.sites_open = 0;
  live.open.store(0, std::memory_order_seq_cst);
  decide();
  give_back_others(main_process);
  live.handlers_theirs.store(1, std::memory_order_seq_cst);
  give_back_others(main_process);  // who was in the midst of installing one
  await_parting();
}

Outcome stop() {
  if (!try_lock_text(patience)) return Outcome::busy;
  Outcome outcome = Outcome::done;
  set_recording(false);
  if (engines.count || is_any_dispatching()) {
    decide();
    outcome = Outcome::doors_stay;
  } else if (is_open()) {
    shut_all();
  }
  settle_memory();
  live.calls_cut += cut_calls();
  unlock_text();
  return outcome;
}

// They come from another process.
void end_texts(wire::Wish& wish) {
  wish.strsize[sizeof wish.strsize - 1] = 0;
  wish.stack[sizeof wish.stack - 1] = 0;
  wish.told[sizeof wish.told - 1] = 0;
}

Outcome carry_out(const wire::Wish& wish) {
  Outcome outcome = Outcome::done;
  see_a_fork();
  take_anchor();  // nobody sees the end of a program that is shut
  take_setting(wish, outcome);
  switch (wish.deed) {
    case wire::Deed::on: return outcome == Outcome::done ? open_all(wish.strangers) : outcome;
    case wire::Deed::off: return stop();
    case wire::Deed::settings: break;
  }
  decide();
  if (outcome == Outcome::done && *wish.told) tell_later_programs(wish.told);
  return outcome;
}

// False: another is at it.
bool try_work(uint32_t number) {
  constexpr int sig_setmask = 2;
  constexpr uint64_t most = ~guarded;  // a copy of ours may fault
  if (live.busy.exchange(1)) return false;
  raw_syscall(__NR_rt_sigprocmask, sig_setmask, &most, nullptr, 8);
  end_texts(live.wish);
  live.outcome = carry_out(live.wish);
  live.done.store(number, std::memory_order_release);
  return true;
}

// Where the kernel can't be asked for it, nobody reaches us from outside.
void publish_place() {
  constexpr int populate_write = 23;  // MADV_POPULATE_WRITE
  const auto place = reinterpret_cast<uint64_t>(&global.image->live);
  if (raw_syscall(__NR_madvise, place & ~4095ull, 4096, populate_write) != -EFAULT)
    global.image->live = reinterpret_cast<uint64_t>(&live);
}

uint64_t address(const void* of) { return reinterpret_cast<uint64_t>(of); }

}  // namespace

void begin_live(bool open) {
  learn_threads();
  live.magic = wire::live_magic;
  live.version = wire::live_version;
  live.pid = main_process.pid;
  live.open.store(open);
  live.recording.store(open);
  live.handlers_theirs.store(!open);
}

void begin_lending() {
  register_barrier();
  service = try_new_thread(nullptr);
  if (!service) return;
  service->process = nullptr;
  service->tid = 0;
  live.entry = reinterpret_cast<uint64_t>(sctrace_lent);
  live.restorer = reinterpret_cast<uint64_t>(&sctrace_restorer);
  live.stack_end = address(service);
  live.ours_begin = global.guest_begin;
  live.ours_end = global.guest_end;
  live.entry_asleep = reinterpret_cast<uint64_t>(sctrace_lent_asleep);
  live.asleep = address(sctrace_returned);
  live.led = reinterpret_cast<uint64_t>(sctrace_led);
  live.common = address(sctrace_common);
  live.filters = address(&main_process.filters);
  live.traps = global.sud;
  describe_threads(live);
  live.sites_open = 0;
  for (const rewriter::Bank& bank : rewriter::banks())
    for (const rewriter::Stub& stub : rewriter::stubs_in(bank))
      ++(stub.patched ? live.sites_open : live.sites_shut);
  publish_place();
}

void begin_shut(ThreadState& self) {
  constexpr int sig_block = 0;
  remember_texts();
  give_back_handlers(main_process);
  raw_syscall(__NR_rt_sigprocmask, sig_block, &self.blocked, nullptr, 8);
  self.bond = wire::Bond::away;
}

}  // namespace sctrace::preload

using namespace sctrace::preload;

// In a thread of the app, from wherever it was, on a stack of ours; the way back is a signal's.
extern "C" void sctrace_lent(uint32_t number) {
  if (try_work(number)) live.busy.store(0, std::memory_order_release);
}

// The same out of a sleep that goes on. Answers what to clear then, or null: back by the frame,
// as with a signal that ends the sleep.
extern "C" void* sctrace_work_asleep(uint32_t number, const sctrace::arch::Context& context) {
  uint64_t pending = 0;
  if (!try_work(number)) return nullptr;
  raw_syscall(__NR_rt_sigpending, &pending, 8);
  if (!(pending & ~context.mask)) return &live.busy;
  live.busy.store(0, std::memory_order_release);
  return nullptr;
}
