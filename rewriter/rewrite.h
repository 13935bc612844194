// The rewriter's one front door, called by preload: objects in, patched sites and a table of stubs
// out. Keeps the table that the caller lends it, so that a program counter is found again. One
// caller at a time; the lookups may run in a signal handler at any moment, and see a batch of stubs
// whole or not at all.
#pragma once
#include "rewriter/apply.h"
#include "rewriter/arena.h"
#include "rewriter/plan.h"

namespace sctrace::rewriter {

// Stubs of one object: adjacent in memory and in the table, ascending by `begin` and by `site`
// alike.
struct Bank {
  Arena arena;                    // which may hold banks of other objects too
  uint64_t text_begin, text_end;  // of the object
  uint64_t stubs_begin, stubs_end;
  uint32_t first, count;  // in the table
  int protection;         // of the text
};
inline constexpr unsigned banks_max = 64;

// Plans, builds and patches all that can be. Appends stubs to `table`, whose index in it is the
// stub's index: the same span must be lent to every call and stay for good. Sites left to the trap
// are appended to `left` as far as it has room, from index `left_count` on, which grows. One arena
// serves all objects if one can. `alone`: this process has one thread and no signal handler that
// matters yet, as in the constructor: faster. Returns how many stubs the table holds.
uint32_t rewrite(std::span<const Object> objects, uint64_t trampoline, Region& scratch,
                 std::span<Stub> table, std::span<Site> left, uint32_t& left_count, Report& report,
                 bool alone = false);

std::span<const Bank> banks();

// The stub that holds the address, or whose jump in padding lies there. Null: none.
const Stub* stub_of(uint64_t pc);
// The stub of a site, patched or not.
const Stub* stub_at(uint64_t site);
// Where to run what lay at an original address: in a stub if the instruction there was moved, else
// right there.
uint64_t relocated(uint64_t pc);

// Puts the original bytes back in [begin, end), or the jumps again. Returns how many sites refused.
uint32_t undo(uint64_t begin, uint64_t end);
uint32_t redo(uint64_t begin, uint64_t end);
// The text in [begin, end) is gone (munmap, dlclose): its stubs remain, for threads inside, and are
// nobody's.
void forget(uint64_t begin, uint64_t end);
// For tests: as if rewrite() had never been called. Takes nothing back.
void forget_all();

}  // namespace sctrace::rewriter
