// Judgement: SCTRACE_FILTER, SCTRACE_MIN_DURATION and SCTRACE_SAMPLE, where a call's number alone
// does not decide (is_judged in facts.h). What can be decided at entry is. Else the entry is
// written, as a hung call shall be seen, and taken back when the call turns out not to be wanted:
// by setting the ring's head back where nothing was published behind it, or by marking its exit.
// No judgement, no cost: facts send nobody here.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// At entry: shall this call be recorded? Notes in `self.judged` whether that is to be asked again.
bool admits(ThreadState& self, uint32_t nr);

// The entry was written, at `self.judged.begin`; up to `self.judged.end` it may be taken back.
void note_entry(ThreadState& self);

// At exit, with the entry noted: does the call stay? If so, what follows is written as ever.
bool keeps(ThreadState& self, int64_t result);

// It does not, and is counted. True: the cursor stands where the entry began; publishing that is
// all that is left. False: something is behind the entry, its exit has to be written, marked.
// Changes nothing that beginning again would not do again: a signal may cut this short anywhere.
bool try_take_back(ThreadState& self);

// What was published up to now stays.
void settle_records(ThreadState& self);

// How long a tick is; to be called when some time has passed since the image began.
void learn_clock();

}  // namespace sctrace::preload
