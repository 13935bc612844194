// The seam of the formats. A format turns what happened into bytes: it is told in the order of time
// and never sees a record, a pointer into a trace or the name of a file. One file a format, one row
// in the list.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/event.h"
#include "formats/output.h"
#include "formats/read/timeline.h"
#include "formats/text.h"

namespace sctrace {

// A program that ran: one for each exec.
struct Program {
  uint32_t pid = 0, ppid = 0;
  uint64_t began = 0;  // ns, CLOCK_MONOTONIC
  std::string path;
  std::vector<std::string> arguments;
  std::string image;  // the file of the trace that tells more of it, for objects_of()
};

// A file mapped into a program when that began.
struct Object {
  uint64_t base = 0;
  std::string path;
};
std::vector<Object> objects_of(const Program& program);

// What a format weighs places by, where it has to choose.
enum class Weigh : uint8_t { time, count, bytes };

// What is known of a trace before anything happens in it. Outlives every sink.
struct Session {
  std::string host, kernel;       // uname: nodename, release; empty if unknown
  uint64_t began = 0;             // ns, CLOCK_MONOTONIC; nothing happened earlier
  int64_t wall_offset = 0;        // ns to add to CLOCK_MONOTONIC for the time since 1970
  bool clock_uncertain = false;   // durations are a guess: no two readings of the clock
  std::vector<Program> programs;  // by the time they began
  TextOptions words;              // how values are to be shown
  Weigh by = Weigh::time;
};

// A thread began, or a process with its first thread, or a program in a process that was there.
struct Birth {
  enum class Kind : uint8_t { thread, process, program };
  Kind kind = Kind::thread;
  uint32_t pid = 0, tid = 0, parent = 0;  // parent: the tid that made it; 0: unknown
  uint64_t when = 0;
  std::string name;                  // as the kernel calls the thread: at most 15 bytes
  const Program* program = nullptr;  // what the process runs; null: unknown
};

// A thread has another name from now on.
struct Naming {
  uint32_t pid = 0, tid = 0;
  uint64_t when = 0;
  std::string name;
};

// A thread ended, or a process with all of its threads.
struct Death {
  enum class How : uint8_t { unknown, exited, killed };
  bool process = false;
  uint32_t pid = 0, tid = 0;
  uint64_t when = 0;
  How how = How::unknown;
  uint32_t status = 0;  // exited: 0 to 255
  uint32_t signal = 0;  // killed
  bool core = false;
};

// A handler was about to run.
struct Arrival {
  uint32_t pid = 0, tid = 0;
  uint64_t when = 0, address = 0;  // address: where it interrupted the program
  uint32_t number = 0;
  std::string name;  // SIGCHLD
  Value info;        // siginfo
  Stack stack;       // empty where none was recorded
};

// Calls of a thread that are missing before this point.
struct Loss {
  uint32_t pid = 0, tid = 0;
  uint64_t when = 0;
  uint64_t calls = 0;  // 0: nobody knows how many
};

using Losses = read::Losses;

// Promised to every sink:
// * in a thread, time never runs backwards, and finished - began is what the call took, whatever
//   the clock did; between threads what is told later may have begun earlier;
// * a thread is born before anything else is told of it, and nothing is told of it after its death;
// * every enter has one leave. That of a call which never came back says ended = false and comes
//   when this is known: at exit, at the death of its thread, or before end();
// * it is told by one thread at a time, maybe not the one that reads the trace: nothing that it is
//   given changes behind its back;
// * calls of one thread may nest: a handler makes some while another is interrupted.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void enter(const Event&) {}
  virtual void leave(const Event&) = 0;
  virtual void signal(const Arrival&) {}
  virtual void birth(const Birth&) {}
  virtual void name(const Naming&) {}
  virtual void death(const Death&) {}
  // No format may be silent about what it does not know: what is missing here, and in all.
  virtual void lost(const Loss&) = 0;
  virtual void end(const Losses&) = 0;
};

// How much an Event must hold.
enum class Detail : uint8_t {
  none,    // it is not told at all
  raw,     // numbers and the name: a fraction of the cost
  values,  // everything
};

struct Format {
  std::string_view name, help;  // `sctrace export --to NAME`; one line in its help
  Target target = Target::stream;
  Detail enter = Detail::none, leave = Detail::values;
  bool details = false;        // it tells what print leaves out without -v and -yy
  std::string_view mark = {};  // directory: a file that each of its outputs has
  std::unique_ptr<Sink> (*open)(Output&, const Session&) = nullptr;
};

std::span<const Format* const> formats();  // the one list: formats.cc
const Format* format_named(std::string_view name);

}  // namespace sctrace
