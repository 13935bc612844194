// A thread of a running program, lent for a moment to carry out a wish (formats/wire/live.h).
// Whoever may trace the program may do this, and nobody else: the kernel decides.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/wire/live.h"

namespace sctrace::cli {

// It is not a trace that is bad, but a process that can't be reached: said in a line, status 1.
struct CantReach : std::runtime_error {
  CantReach(const std::string& who, const std::string& why)
      : std::runtime_error(who + ": " + why) {}
};

// A process that carries our library, as its own memory says; read anew by look().
class Reached {
 public:
  // `name` is what errors call it. Throws CantReach.
  Reached(uint32_t pid, const std::string& ring_file, std::string name);
  uint32_t pid() const { return pid_; }
  const std::string& name() const { return name_; }
  const wire::Live& live() const { return *live_; }
  void look();
  bool is_pending() const;  // what was asked last is not done yet

  // Has it carried out by a thread of the program, and waits for it. Throws CantReach.
  wire::Outcome carry_out(wire::Wish wish);

  struct Thread {
    uint32_t tid = 0;
    uint64_t state = 0;  // where
    wire::Bond bond = wire::Bond::here;
    uint32_t phase = 0, in_flight = 0, turn = 0;
  };
  std::vector<Thread> threads() const;  // those that the library knows

 private:
  bool try_read(uint64_t address, void* to, size_t bytes) const;
  void write(uint64_t address, const void* from, size_t bytes) const;
  void check(uint32_t tid) const;  // may this thread be touched?
  bool sees_filters() const;       // none was there before, and the library would have seen one
  [[noreturn]] void refuse(const std::string& why) const;
  uint32_t pid_;
  std::string name_;
  uint64_t place_ = 0;
  std::vector<uint64_t> memory_;  // wire::Live as read
  const wire::Live* live_ = nullptr;
};

// What the kernel says of a thread. `call`: what it is blocked in, -1: it runs.
struct Task {
  uint32_t tid = 0;
  char state = '?';
  long call = -1;
  uint64_t args[6] = {};
};
Task task_of(uint32_t pid, uint32_t tid);
void look_at_call(uint32_t pid, Task& task);  // call and args alone
std::vector<uint32_t> tids_of(uint32_t pid);

}  // namespace sctrace::cli
