// Calls by system call, counted ring by ring on all processors, without building one: what summary
// shows, some twenty times sooner than by the timeline.
#pragma once
#include <functional>
#include <optional>

#include "formats/counts.h"
#include "formats/groups.h"
#include "formats/read/trace.h"

namespace sctrace {

struct Tally {
  Counts counts;
  Run run;
  read::Losses losses;
};

// Nothing, where the timeline might say otherwise: clocks that run backwards between rings, more
// captured memory than a reader holds, an exec whose end only the order of processes tells.
// `progress`, now and then: 0 to 1.
std::optional<Tally> tally_of(const read::Trace& trace,
                              const std::function<void(double)>& progress = {});

}  // namespace sctrace
