// Does anybody still write into a trace? Asked often, looks seldom. A program in the middle of an
// exec has nothing mapped for a moment, and is waited for.
#pragma once
#include <chrono>
#include <string>
#include <vector>

namespace sctrace::cli {

class Watch {
 public:
  explicit Watch(std::string trace) : trace_(std::move(trace)) {}
  bool running();

 private:
  using Clock = std::chrono::steady_clock;
  bool is_mapped();
  std::string trace_;
  std::vector<unsigned> known_;
  Clock::time_point looked_{}, seen_{};
  bool last_ = true;
};

// ^C and its like end a loop that asks this, and not the command.
void catch_interrupts();
bool interrupted();

}  // namespace sctrace::cli
