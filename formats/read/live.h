// A trace while it is being written: the timeline of what is there, to be asked again and again.
// Rings are files shared with the program, so nothing is asked of it and it notices nobody.
#pragma once
#include <string>

#include "formats/read/timeline.h"
#include "formats/read/trace.h"

namespace sctrace::read {

class LiveTrace {
 public:
  explicit LiveTrace(const std::string& directory);  // throws BadTrace

  // Looks at how far the rings have come. `running`: by programs on this machine, now; then the
  // clock is measured against ours. Throws BadTrace.
  void look(bool running);
  void finish();  // nobody writes any more: the rest is told, and what is open stays unfinished
  bool next(Item& item) { return timeline_.next(item); }  // false: no more is known yet

  const Trace& trace() const { return trace_; }
  Losses losses() const { return timeline_.losses(); }

 private:
  Trace trace_;
  Timeline timeline_;
};

wire::Anchor clocks_now();  // all clocks of this machine, read together

}  // namespace sctrace::read
