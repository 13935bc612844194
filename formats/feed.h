// A trace → a sink: the timeline decoded, in the order of time, with what only shows over many
// calls: which file is behind a descriptor, what a thread is called, how a process ended, which
// call never came back. What format.h promises to sinks is kept here.
#pragma once
#include <functional>
#include <memory>

#include "formats/format.h"
#include "formats/read/trace.h"
#include "formats/text_filter.h"

namespace sctrace {

Session session_of(const read::Trace& trace);

struct FeedOptions {
  Detail enter = Detail::values, leave = Detail::values;
  CallSet calls = CallSet().set();  // only these; everything else is told in any case
  bool details = true;  // what only -v and -yy show, who else leaves it out need not pay for it
  bool beside = false;  // the sink works in a thread of its own (relay.h)
  std::function<void(double)> progress = {};  // now and then: 0 to 1, as far as time tells
};

// A step at a time, for who asks instead of being told.
class Feed {
 public:
  Feed(const read::Trace& trace, const Session& session, Sink& sink, FeedOptions options);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  bool next();  // tells some of it, or nothing; false: that was all, the sink has been told the end
  Losses losses() const;  // complete then
  double progress() const;

 private:
  struct Steps;
  std::unique_ptr<Steps> steps_;
};

// Tells everything and ends. What the sink throws goes through.
Losses feed(const read::Trace& trace, const Session& session, Sink& sink,
            const FeedOptions& options = {});

}  // namespace sctrace
