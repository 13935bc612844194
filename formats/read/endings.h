// How processes ended that did not say so themselves: as far as a parent's wait or a signal that
// they sent to themselves tells. Of the others nobody knows, and nothing is said.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "formats/read/timeline.h"

namespace sctrace::read {

struct Ending {
  uint32_t pid = 0;
  uint32_t signal = 0;
  bool core = false;
};

class Endings {
 public:
  void enter(const Call& call);
  std::vector<Ending> leave(const Call& call);  // processes that this wait says were killed
  void gone(uint32_t pid) { open_.erase(pid); }
  std::vector<Ending> at_end() const;  // those whose last call was a signal to themselves

 private:
  struct Sent {
    uint32_t pid = 0, signal = 0;
  };
  // By pid: threads of a killed process end together.
  std::map<uint32_t, std::map<uint32_t, Sent>> open_;  // by tid, what it may have died of
};

}  // namespace sctrace::read
