// Snapshots that take themselves: a trace is followed, and when a call is such as asked for, the
// newest of all threads is put aside (formats/read/snapshot.h). Nothing in the program waits for
// it.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "formats/read/decode.h"
#include "formats/read/live.h"
#include "formats/wire/expression.h"

namespace sctrace::cli {

class Trigger {
 public:
  // Snapshots go to PREFIX-1, PREFIX-2, …; of them the newest `keep` stay, 0: all.
  Trigger(const std::string& trace, const wire::Expression& when, std::string prefix,
          uint64_t keep);

  // One look at what happened since the last; takes one snapshot at most, and says so.
  void look(bool running);
  uint64_t taken() const { return count_; }
  read::Losses losses() const { return live_.losses(); }

 private:
  bool is_it(const read::Item& item);
  void take(const read::Call& call);

  std::string trace_;
  wire::Expression when_;
  std::string prefix_;
  uint64_t keep_, count_ = 0;
  std::deque<std::string> kept_;
  read::LiveTrace live_;
  read::Files files_;
};

// The same for a program that `record` has just started: begins when there is a trace, and what
// goes wrong is said once, for the program is not to suffer.
class LateTrigger {
 public:
  LateTrigger(const wire::Expression& when, uint64_t keep) : when_(when), keep_(keep) {}
  void look(const std::string& trace, bool running);

 private:
  wire::Expression when_;
  uint64_t keep_;
  std::optional<Trigger> trigger_;
  bool failed_ = false;
};

}  // namespace sctrace::cli
