// On, off and other settings while the program runs. A thread of the app is lent for it by
// `sctrace ctl` (formats/wire/live.h says how); while nobody asks, nothing of this runs.
//
//   shut ──on──► open: a ring and a state for each thread that libc made, told to it by its fs;
//                handlers ours; text changed. A thread takes over the rest at its first call.
//   open ──off─► shut: nothing is recorded, text is the file's, handlers the app's. A thread gives
//                the rest back when it comes by next: by its trap, or when its call returns.
//
// Where engines have opened the doors, off closes none of them: nothing is recorded, that is all.
#pragma once
#include "arch/x86_64/sigframe.h"
#include "formats/wire/live.h"
#include "preload/thread.h"

namespace sctrace::preload {

extern wire::Live live;

inline bool is_open() { return live.open.load(std::memory_order_relaxed); }
inline bool is_recording() { return live.recording.load(std::memory_order_relaxed); }

// At start, when it is known how it begins.
void begin_live(bool open);
void begin_lending();  // when all stubs are there: from here on `sctrace ctl` finds us
// SCTRACE_START=off, behind everything else: as if we had never been here.
void begin_shut(ThreadState& self);

// global.facts as the settings are now, or as they are while nothing is recorded.
void decide();
void decide(uint32_t nr);  // of one

}  // namespace sctrace::preload
