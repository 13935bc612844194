// The chain of engines (sctrace/engine.h): opened at start, kept for the life of the program. Here
// is how their code is called from the midst of somebody's call; when and about what, engaged.cc
// and told.cc.
#pragma once
#include <link.h>

#include "preload/say.h"
#include "preload/sctrace/engine.h"
#include "preload/thread.h"

namespace sctrace::preload {

struct Engine {
  const sctrace_engine* code;
  void* data;
  bool on;
  uint64_t wants[facts_most / 64];        // by number, the last one also for those beyond
  const std::atomic<uint8_t>* live;       // by number, where it changes while the program runs
  decltype(sctrace_engine::entry) entry;  // never null, as in `code`
  decltype(sctrace_engine::exit) exit;
  bool wants_call(uint64_t nr) const {
    const uint32_t n =
        static_cast<uint32_t>(nr) < facts_most ? static_cast<uint32_t>(nr) : facts_most - 1;
    return on && wants[n / 64] >> n % 64 & 1 && (!live || live[n].load(std::memory_order_relaxed));
  }
  bool is_bare() const { return code->flags & SCTRACE_BARE; }
};

struct Engines {
  uint32_t count;
  bool need_libc;  // not all of them are bare
  bool see_exits;  // some want to
  Engine all[engines_most];
  // By number, a bit an engine: those that look at it, where all of them are bare and always there,
  // and the call is one like most. 0: it goes the long way (engaged.cc).
  uint8_t lookers[facts_most];
};
extern Engines engines;

// Loads what SCTRACE_ENGINE names; one that refuses is said in a line. Marks in global.facts which
// calls any of them wants. `objects`: the loader's list, for libc's own functions.
void open_engines(const link_map* objects, int argc, char** argv, char** envp);
// What becomes of Facts::what by them.
uint8_t as_engines_want(uint32_t nr, uint8_t what);
bool try_add_engine(const sctrace_engine* code, const char* args);  // one of our own

// Runs work(what) as engines' code may be run: their calls are their own, signals wait, errno and
// vector registers are kept unless all is `bare`. False: it faulted, and left at any instruction.
// The caller has seen to it that signals are ours (Phase::special).
bool call_out(ThreadState& self, void (*work)(void*), void* what, bool bare);

inline void set_calling(ThreadState& self, bool calling) {
  asm volatile("" ::: "memory");
  self.engaged.calling = calling;
  asm volatile("" ::: "memory");
}

// A call that trapped while engines' code ran: made here, or refused. False: it was not theirs.
bool engine_called(arch::Context& context);

Level complaint();  // what is wrong at start is said once, not again in each program after an exec

// One that faulted is asked no more.
void switch_off(Engine& engine);

extern const sctrace_services services;

}  // namespace sctrace::preload
