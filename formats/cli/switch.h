// `sctrace ctl` on, off, status and settings: in one process, or in all that descend from it.
//
// What is promised, by default: the wish is carried out when this returns, and each thread notices
// at its next call. With a proof asked for: of each thread it is known that it has noticed, or that
// it can't be in the way.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "formats/cli/lend.h"
#include "formats/cli/processes.h"

namespace sctrace::cli {

// Those meant by a pid, a name or a trace; with `tree`, what descends from them too, last born
// first. Throws CantReach: there are none.
std::vector<Carrier> subjects(const std::string& given, bool tree);

struct Switched {
  wire::Outcome outcome = wire::Outcome::done;
  uint32_t threads = 0;   // that there are
  uint32_t unproven = 0;  // with a proof asked for: of these nothing is known
  double ms = 0;
};

// One at a time does this to a process: another waits for the first.
Switched carry_out(const Carrier& process, const wire::Wish& wish, bool prove);

struct Status {
  bool recording = false, open = false, pending = false;
  uint32_t threads = 0, here = 0, known = 0, away = 0, strange = 0;
  uint32_t sites_open = 0, sites_shut = 0, texts_left = 0;
  bool traps = false;  // where there is no door; else nothing sees those
  uint64_t calls_cut = 0;
};
Status status_of(const Carrier& process);
std::string shown(const Carrier& process, const Status& status);
std::string as_json(const Carrier& process, const Status& status);

}  // namespace sctrace::cli
