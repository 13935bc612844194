// strace's notation: the only place that knows commas, quotes and "= -1 ENOENT (…)". print.cc feeds
// it.
#pragma once
#include <algorithm>
#include <bitset>
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "arch/table.h"
#include "formats/event.h"
#include "formats/notation.h"

namespace sctrace {

struct TextOptions {
  enum class Names : uint8_t { brief, raw, both };
  enum class Times : uint8_t { none, clock, epoch };
  uint64_t strsize = 32;
  bool verbose = false;        // -v: whole structs
  bool bare = false;           // structs as their address
  int hex = 0;                 // -x 1, -xx 2
  Names names = Names::brief;  // -X
  enum Paths { path = 1, socket = 2, device = 4, process = 8 };
  int paths = 0;        // or'ed; -y path, -yy all: what is behind descriptors
  bool tasks = false;   // -Y: what threads are called, behind their numbers
  bool follow = false;  // -f: several threads in one output
  bool file = false;    // -o: "PID " instead of "[pid PID] "
  Times times = Times::none;
  bool relative = false, spent = false, number = false;
  bool site = false;                // -i: where the call was made
  bool stack = false;               // -k: and who called, line by line
  bool names_of_arguments = false;  // -N
  int times_digits = 0, relative_digits = 6, spent_digits = 6;
  bool quiet_exits = false, quiet_supersedes = false;
  int column = 40;
  using Calls = std::bitset<arch::number_limit + 1>;
  Calls raw;                       // -e raw=: arguments in hex
  Calls brief = Calls().set();     // -e abbrev=: the others are shown whole
  Calls followed = Calls().set();  // -e verbose=: structs of the others are bare addresses
};

// One value, as strace writes it.
std::string shown(const Value& value, const TextOptions& options);
std::string quoted(const Value& text, const TextOptions& options);
// "<cat>"; nothing where there is no name.
std::string shown_task(std::string_view name, const TextOptions& options);
void append_shown(std::string& out, const Value& value, const TextOptions& options);
// A call's result with what follows it, from "= " on.
std::string shown_result(const Event& event, const TextOptions& options);
void append_result(std::string& out, const Event& event, const TextOptions& options);
std::string errno_name(int64_t error);     // ENOENT; empty if unknown
std::string error_name(int64_t error);     // ENOENT, ERESTARTSYS, or the number
std::string signal_name(uint64_t number);  // SIGCHLD, SIGRT_2, or the number

// Lines, in the order of what happened. A call stands open until it returns or somebody else has
// something to say.
class TextPrinter : public Notation {
 public:
  explicit TextPrinter(TextOptions options) : options_(options) {}
  void enter(const Event& event) override;
  void leave(const Event& event) override;
  void signal(const Where& to, uint32_t number, const Value& info, const Stack& stack) override;
  void gone(const Where& who, const Departure& how) override;
  void ended(const Where& who, const Departure& how) override { gone(who, how); }
  void lost(const Where& of, uint64_t calls) override;
  void buffer(size_t index, uint64_t length) override;
  void vector(size_t index, uint64_t buffers) override;
  void bytes(std::string_view data, uint64_t whole) override;
  void unread(uint32_t pid, uint64_t address, uint64_t length) override;
  void several(bool many) override { many_ = many; }
  void named(uint32_t tid, std::string_view name) override { names_[tid] = name; }
  void end(const read::Losses& all) override;

 private:
  struct Open {
    Event event;
    bool written = false;
  };
  void leader(uint32_t tid, uint64_t when);
  void call_number(const Event& event);
  void last_number(uint32_t tid);
  void place(uint64_t site);
  void callers(const Stack& stack);
  void time_of_day(time_t seconds);
  void arguments(const Event& event, size_t from, size_t to);
  void registers(const Event& event);
  bool is_raw(const Event& e) const {
    return options_.raw.test(std::min<size_t>(e.nr, arch::number_limit));
  }
  bool is_quiet(Departure::How how) const {
    return how == Departure::How::superseded ? options_.quiet_supersedes : options_.quiet_exits;
  }
  const TextOptions& options_for(const Event& event);
  void ending(const Event& event, size_t start);
  void suspend();
  void supersede(uint32_t pid, uint32_t tid);

  TextOptions options_, special_;  // special: of the call at hand, if it has its own
  time_t second_ = 0;              // and how it is written
  std::string second_text_;
  std::map<uint32_t, Open> calls_;
  std::optional<uint32_t> open_;
  std::map<uint32_t, uint32_t> numbers_;
  std::map<uint32_t, std::string> names_;  // by tid
  std::map<uint32_t, uint32_t> renamed_;   // by tid: what the thread is called from its execve on
  uint64_t last_ = 0;
  bool many_ = false;
};

}  // namespace sctrace
