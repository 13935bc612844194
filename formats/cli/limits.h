// Recording that ends by itself, after a time or so many calls: the programs of a trace are turned
// off (formats/cli/switch.h) and go on. Looked at now and then, so a few calls more are in the
// trace.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "formats/read/trace.h"

namespace sctrace::cli {

uint64_t recorded(const read::Trace& trace);  // calls that are in it

class Limits {
 public:
  Limits(uint64_t ns, uint64_t calls) : ns_(ns), calls_(calls) {}  // 0: none
  bool any() const { return ns_ || calls_; }
  // Often; does something 50 times a second at most.
  void look(const std::string& trace);

 private:
  using Clock = std::chrono::steady_clock;
  bool is_reached(const std::string& trace);
  void turn_off(const std::string& trace);
  uint64_t ns_, calls_;
  Clock::time_point began_{}, looked_{};
  bool reached_ = false;
};

}  // namespace sctrace::cli
