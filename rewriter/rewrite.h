// The rewriter's one front door, called by preload: objects in, patched sites and a table of stubs
// out. Keeps the table that the caller lends it, so that a program counter is found again
// (banks.h). One caller at a time.
#pragma once
#include "rewriter/banks.h"
#include "rewriter/plan.h"

namespace sctrace::rewriter {

// Where plans of earlier processes are kept: the caller's files. Asked for one object at a time, in
// their order.
struct PlanStore {
  struct Kept {
    std::span<const uint8_t> key;   // empty: plans of this object are not to be kept
    std::span<const uint8_t> file;  // empty: there are none yet. Anything at all otherwise
  };
  Kept (*take)(size_t object, Region& memory);
  void (*put)(size_t object, std::span<const uint8_t> file);
};

// Plans, builds and patches all that can be. Appends stubs to `table`, whose index in it is the
// stub's index: the same span must be lent to every call and stay for good. Sites left to the trap
// are appended to `left` as far as it has room, from index `left_count` on, which grows. One arena
// serves all objects if one can. `alone`: this process has one thread and no signal handler that
// matters yet, as in the constructor: faster. Returns how many stubs the table holds. `store`:
// plans are taken from there where they still hold, and put there where they had to be made.
// `shut`: no text is changed; open_doors() in swap.h does that.
uint32_t rewrite(std::span<const Object> objects, uint64_t trampoline, Region& scratch,
                 std::span<Stub> table, std::span<Site> left, uint32_t& left_count, Report& report,
                 bool alone = false, const PlanStore* store = nullptr, bool shut = false);

// Stubs made from now on have indexes from `first` on: those below mean the same for good.
void begin_late(uint32_t first);

// One more object, after begin_late(), while the program runs. What of it may fault, because
// somebody unmaps the text or cuts its file short meanwhile, is all in try_prepare(), which changes
// nothing that others see: it may be left by a jump at any instruction, and abandon() gives back
// what it took (also after it said that there is no stub to be had). commit() makes the stubs known
// and patches. The plans lie in the scratch memory.
struct Late {
  Bank* place = nullptr;
  Bank bank;
  std::span<Plan> plans;  // those left to the trap say why
};
[[nodiscard]] bool try_prepare(Late& late, const Object& object, uint64_t trampoline,
                               Region& scratch, Report& report);
void abandon(Late& late);
void commit(Late& late, Running running);
void admit(Late& late);  // known, but not patched: for open_doors() in swap.h

}  // namespace sctrace::rewriter
