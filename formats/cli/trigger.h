// Snapshots that take themselves: a trace is followed, and when there is an occasion such as asked
// for, the newest of all threads is put aside (formats/read/snapshot.h). Nothing in the program
// waits for it.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "formats/cli/occasion.h"
#include "formats/read/decode.h"
#include "formats/read/endings.h"
#include "formats/read/live.h"

namespace sctrace::cli {

using Occasions = std::vector<Occasion>;  // any of them

Occasions occasions_of(const std::vector<std::string>& texts);  // throws std::invalid_argument

class Trigger {
 public:
  // Snapshots go to PREFIX-1, PREFIX-2, …; of them the newest `keep` stay, 0: all.
  Trigger(const std::string& trace, Occasions when, std::string prefix, uint64_t keep);

  // One look at what happened since the last; takes one snapshot at most, and says so. At the end
  // `known`: processes of which only their parent knows that they were killed.
  void look(bool running, const std::vector<read::Ending>& known = {});
  uint64_t taken() const { return count_; }
  read::Losses losses() const { return live_.losses(); }

 private:
  std::string call_like(const read::Call& call);
  std::string end_like(const read::Ending& ending);
  std::string signal_like(const read::Signal& signal);
  std::string what_is(const read::Item& item);
  std::string what_ended(const read::Item& item);
  void take(const std::string& what);

  std::string trace_;
  Occasions when_;
  bool by_path_ = false, by_end_ = false;
  std::string prefix_;
  uint64_t keep_, count_ = 0;
  std::deque<std::string> kept_;
  read::LiveTrace live_;
  read::Files files_;
  read::Endings endings_;
  std::map<uint32_t, uint32_t> signals_;  // by pid: the last that was an occasion
  std::set<uint32_t> ended_;              // by a signal, and told
};

// The same for a program that `record` has just started: begins when there is a trace, and what
// goes wrong is said once, for the program is not to suffer.
class LateTrigger {
 public:
  LateTrigger(Occasions when, uint64_t keep) : when_(std::move(when)), keep_(keep) {}
  void look(const std::string& trace, bool running, const std::vector<read::Ending>& known = {});

 private:
  Occasions when_;
  uint64_t keep_;
  std::optional<Trigger> trigger_;
  bool failed_ = false;
};

}  // namespace sctrace::cli
