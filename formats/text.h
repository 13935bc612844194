// strace's notation: the only place that knows commas, quotes and "= -1 ENOENT (…)". print.cc feeds
// it.
#pragma once
#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "arch/table.h"
#include "formats/event.h"
#include "formats/read/timeline.h"

namespace sctrace {

struct TextOptions {
  enum class Names : uint8_t { brief, raw, both };
  enum class Times : uint8_t { none, seconds, microseconds, epoch };
  uint64_t strsize = 32;
  bool verbose = false;        // -v: whole structs
  bool bare = false;           // structs as their address
  int hex = 0;                 // -x 1, -xx 2
  Names names = Names::brief;  // -X
  enum Paths { path = 1, socket = 2, device = 4, process = 8 };
  int paths = 0;        // or'ed; -y path, -yy all: what is behind descriptors
  bool follow = false;  // -f: several threads in one output
  bool file = false;    // -o: "PID " instead of "[pid PID] "
  Times times = Times::none;
  bool relative = false, spent = false, number = false;
  int relative_digits = 6, spent_digits = 6;
  int quiet = 0;
  int column = 40;
  using Calls = std::bitset<arch::number_limit + 1>;
  Calls raw;                       // -e raw=: arguments in hex
  Calls brief = Calls().set();     // -e abbrev=: the others are shown whole
  Calls followed = Calls().set();  // -e verbose=: structs of the others are bare addresses
};

// One value, as strace writes it.
std::string shown(const Value& value, const TextOptions& options);
std::string quoted(const Value& text, const TextOptions& options);
// A call's result with what follows it, from "= " on.
std::string shown_result(const Event& event, const TextOptions& options);
std::string errno_name(int64_t error);     // ENOENT; empty if unknown
std::string signal_name(uint64_t number);  // SIGCHLD, SIGRT_2, or the number

// Lines, in the order of what happened. A call stands open until it returns or somebody else has
// something to say.
class TextPrinter {
 public:
  explicit TextPrinter(TextOptions options) : options_(options) {}
  void enter(const Event& event);
  void leave(const Event& event);
  void signal(uint32_t tid, uint64_t when, const std::string& name, const Value& info);
  void gone(uint32_t tid, uint64_t when, const std::string& how);
  void lost(uint32_t tid, uint64_t when, uint64_t calls);
  void buffer(size_t index,
              uint64_t length);  // -e read=, write=: what the last call moved, by buffer
  void bytes(std::string_view data, uint64_t whole);
  void unread(uint32_t pid, uint64_t address, uint64_t length);  // what could not be read of it
  void end();
  void several(bool many) { many_ = many; }  // more than one thread is shown
  std::string& out() { return out_; }        // lines so far; the caller takes them
  uint64_t wall_offset = 0;                  // ns to add to CLOCK_MONOTONIC for the time of day

 private:
  struct Open {
    Event event;
    bool written = false;
  };
  void leader(uint32_t tid, uint64_t when);
  void call_number(const Event& event);
  void last_number(uint32_t tid);
  std::string arguments(const Event& event, size_t from, size_t to) const;
  TextOptions options_for(const Event& event) const;
  std::string ending(const Event& event, size_t column) const;
  void suspend();

  TextOptions options_;
  std::map<uint32_t, Open> calls_;
  std::optional<uint32_t> open_;
  std::map<uint32_t, uint32_t> numbers_;
  std::string out_;
  uint64_t last_ = 0;
  bool many_ = false;
};

}  // namespace sctrace
