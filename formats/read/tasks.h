// What threads are called, as /proc/PID/comm has it: by the program that their process runs, by the
// thread that made them, or as they named themselves. -Y asks.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "formats/read/timeline.h"

namespace sctrace::read {

class Tasks {
 public:
  // In the order of the timeline. `program`: the file that a new image was made of.
  void begin(const Thread& thread, std::string_view program);
  void enter(const Call& call);
  void learn(const Call& call);
  std::string name(int64_t tid) const;  // empty: unknown, or gone

 private:
  std::unordered_map<uint32_t, std::string> names_, executed_;  // by tid; by pid
};

}  // namespace sctrace::read
