// Which stubs there are, found by any address in them, in their windows or at their sites: asked in
// signal handlers at any moment, while one caller at a time may add and take away. A bank is seen
// whole or not at all: its two ends are stored last and cleared first.
#pragma once
#include "rewriter/apply.h"
#include "rewriter/arena.h"

namespace sctrace::rewriter {

// Stubs of one object: adjacent in memory and in the table, ascending by `begin` and by `site`
// alike.
struct Bank {
  Arena arena;                              // which may hold banks of other objects too
  uint64_t text_begin = 0, text_end = 0;    // of the object; end 0: its text is gone
  uint64_t stubs_begin = 0, stubs_end = 0;  // end 0: free, to be used again
  uint32_t first = 0, count = 0, room = 0;  // in the table; room: what it may have of it
  int protection = 5;                       // of the text
  uint64_t born = 0;                        // see births()
  bool late = false;                        // has an arena of its own
};
inline constexpr unsigned banks_max = 256;

std::span<const Bank> banks();  // free ones among them
std::span<Stub> stubs_in(const Bank& bank);

// The stub that holds the address, or whose jump in padding lies there. Null: none.
const Stub* stub_of(uint64_t pc);
// In the jump that lies in padding.
bool is_between_jumps(uint64_t pc);
// The stub of a site, patched or not.
const Stub* stub_at(uint64_t site);
// Where to run what lay at an original address: in a stub if the instruction there was moved, else
// right there.
uint64_t relocated(uint64_t pc);
// Where to go on in place of the first byte of what a patch replaces, as long as the stub is known:
// what a thread does that met the hlt of a patch in progress. 0: no such place.
uint64_t instead_of(uint64_t pc);

// Puts the original bytes back in [begin, end), or the jumps again. Returns how many sites refused.
uint32_t undo(uint64_t begin, uint64_t end, Running running = Running::nobody);
uint32_t redo(uint64_t begin, uint64_t end, Running running = Running::nobody);

// The text in [begin, end) is gone (munmap, dlclose) of all banks that were born before `born`. The
// stubs of a bank whose text is gone altogether are unmapped if no others lie with them.
void forget(uint64_t begin, uint64_t end, uint64_t born = ~0ull);
uint64_t births();  // how many banks were ever made
bool has_text_in(uint64_t begin, uint64_t end);

// For tests: as if nothing had ever been built. Takes nothing back.
void forget_all();

// For rewrite.cc alone: the table that the stubs live in, and what of it is taken.
struct Registry {
  std::span<Stub> table;
  uint32_t used = 0;
  Bank banks[banks_max];
  uint32_t count = 0;  // banks ever made; atomically
  uint64_t births = 0;
};
Registry& registry();
// Where a bank of so many stubs can go: a free place or the next. Null when there is none.
Bank* place_for(uint32_t stubs);
void publish(Bank& place, const Bank& bank);

}  // namespace sctrace::rewriter
