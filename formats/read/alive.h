// Which threads of which processes there are, so that their ends can be told when their process
// ends or runs a new program: of most nobody records an end of their own.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "formats/read/timeline.h"

namespace sctrace::read {

class Alive {
 public:
  void begin(const Thread& thread);
  // Of a thread that calls exit: whether that is its end. The first of a process stays until all
  // others have ended, and the last ends with its process.
  bool ends_alone(uint32_t pid, uint32_t tid);
  // All but the first thread and `but`, in the order of their numbers; they end here.
  std::vector<uint32_t> end_others(uint32_t pid, uint32_t but);
  // The thread whose end is that of its process: the first, or `tid` where that was never seen.
  uint32_t end_process(uint32_t pid, uint32_t tid);

 private:
  std::map<uint32_t, std::set<uint32_t>> threads_;  // by pid
};

}  // namespace sctrace::read
