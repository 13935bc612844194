// ftrace's notation: what the kernel's own syscalls tracepoints say, in tracefs' words and columns,
// with CLOCK_MONOTONIC as trace_clock=mono has it. A call is two lines, at its own two moments.
// What no trace of ours knows (the processor, interrupts, preemption) stands there as [000] and
// dots.
#pragma once
#include <map>
#include <set>
#include <string>

#include "formats/notation.h"

namespace sctrace {

class FtraceLines : public Notation {
 public:
  explicit FtraceLines(bool types);  // C types before the names of arguments
  void program(const Where& at, std::string_view path) override;
  void thread(const Where& born, uint32_t parent) override;
  void enter(const Event& event) override;
  void leave(const Event& event) override;
  void signal(const Where& to, uint32_t number, const Value& info, const Stack& stack) override;
  void gone(const Where&, const Departure&) override {}
  void lost(const Where& of, uint64_t calls) override;
  void end(const read::Losses&) override {}

 private:
  void begin(uint32_t tid, uint64_t when);
  void entry(const Event& event);

  bool types_;
  std::map<uint32_t, std::string> names_;  // by tid
  std::set<uint32_t> inside_;              // whose entry is written
};

}  // namespace sctrace
