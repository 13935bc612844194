// A thread of ours goes its own way again, when it comes by while doors are shut (live.h).
#pragma once
#include "arch/x86_64/sigframe.h"
#include "preload/thread.h"

namespace sctrace::preload {

bool may_part(const ThreadState& self);
// Nothing of ours lies below `sp`, where the program is: a handler of its own may have interrupted
// us on our stack, and has to return there first.
bool may_part_at(const ThreadState& self, uint64_t sp);
// By its trap: it makes the call anew. Or behind a call, which part() leads to part_by_fault().
void part_by_trap(ThreadState& self, arch::Context& context);
void part_by_fault(ThreadState& self, arch::Context& context);
void part(ThreadState& self);

// Born where no door leads to us, behind a filter that lets nobody trap: its mask and its alternate
// stack are the program's from its first instruction on. Only handlers are ours still, for others
// of its process; bare_signal() enters them as the program's.
bool may_part_at_birth(const ThreadState& self);
void part_at_birth(ThreadState& self);
bool has_any_parted_at_birth();

// Calls under way are ended for us: their exit will not be written. Answers how many.
uint64_t cut_calls();
// Counts who has to part yet: the last gives back what is left (handlers.h). With the text locked.
void await_parting();

}  // namespace sctrace::preload
