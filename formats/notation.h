// Notation: one way of writing a timeline down. The verb feeds it what happened, in the order of
// time, and takes the lines. A call comes by enter() and, if it comes back, by leave(); one that is
// only known complete comes by leave() alone. No notation is silent about what it does not know.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/event.h"
#include "formats/read/timeline.h"

namespace sctrace {

struct Where {
  uint32_t pid = 0, tid = 0;
  uint64_t when = 0;  // ns, CLOCK_MONOTONIC
};

struct Departure {  // of a thread or process
  enum class How : uint8_t { untold, exited, killed, superseded } how = How::untold;
  uint32_t number = 0;  // exit status, signal, or the thread whose execve it was
  bool core = false;
};

class Notation {
 public:
  virtual ~Notation() = default;
  virtual void program(const Where&, std::string_view) {}  // what a process runs from here on
  virtual void thread(const Where&, uint32_t) {}           // born, of that parent
  virtual void enter(const Event& event) = 0;
  virtual void leave(const Event& event) = 0;
  // stack: of the place that it interrupted; empty where none was recorded
  virtual void signal(const Where& to, uint32_t number, const Value& info, const Stack& stack) = 0;
  virtual void gone(const Where& who, const Departure& how) = 0;  // a process, by its last thread
  virtual void ended(const Where&, const Departure&) {}           // one thread of it
  virtual void lost(const Where& of, uint64_t calls) = 0;         // 0: nobody knows how many
  virtual void buffer(size_t, uint64_t) {}  // -e read=, write=: what the last call moved, by buffer
  virtual void vector(size_t, uint64_t) {}  // the same by message, of so many buffers
  virtual void bytes(std::string_view, uint64_t) {}
  virtual void unread(uint32_t, uint64_t, uint64_t) {}  // what could not be read of it
  virtual void named(uint32_t, std::string_view) {}     // what a thread is called from here on
  virtual void several(bool) {}                         // more than one thread is shown
  virtual void end(const read::Losses& all) = 0;
  std::string& out() { return out_; }  // lines so far; the caller takes them
  uint64_t wall_offset = 0;            // ns to add to CLOCK_MONOTONIC for the time of day

 protected:
  std::string out_;
};

}  // namespace sctrace
