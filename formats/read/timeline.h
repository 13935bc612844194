// What the reader gives to everybody behind it: the events of all threads and processes of a trace
// in the order of time, already paired and checked, with the captured bytes as an image of the
// app's memory. Nothing here points into a ring or a file mapping that could change.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include "formats/wire/record.h"

namespace sctrace::read {

class Trace;
struct Image;

// Bytes of the app's memory at one call.
struct Piece {
  uint64_t address = 0;
  uint64_t wanted = 0;  // how long the buffer was; bytes.size() may be less
  std::vector<uint8_t> bytes;
  bool out = false;    // taken after the call (what the kernel gave), else before
  bool cut = false;    // shortened by a setting
  bool fault = false;  // memory beyond bytes.size() could not be read
  bool redacted = false;
  bool exact = false;  // the kernel used these very bytes
};

// What is behind a descriptor, as the writer asked the kernel.
struct OpenFile {
  int32_t fd = 0;  // wire::file_directory: the working directory
  uint8_t flags = 0;
  uint32_t mode = 0;
  uint64_t device = 0, inode = 0, special = 0;
  uint16_t kind = 0, protocol = 0;
  std::string path, name, peer;  // name, peer: sockaddrs
};

// What engines made of a call (wire::altered_*).
struct Altered {
  uint8_t flags = 0;
  uint32_t nr = 0;
  uint64_t args[6] = {};
  int64_t answer = 0;         // with altered_result: the kernel's
  std::vector<Piece> memory;  // what the call that was made points at
};

// Where calls were made from, innermost first; shared by all that were made from there.
struct Stack {
  std::vector<uint64_t> addresses;
  uint8_t flags = 0;             // wire::stack_*, of which the walk said it
  const Image* image = nullptr;  // what is mapped there
};

struct Call {
  uint32_t pid = 0, tid = 0;
  uint32_t nr = 0;
  uint64_t args[6] = {};
  uint8_t argc = 0;       // arguments recorded; the others are unknown
  int64_t result = 0;     // valid once ended
  uint64_t site = 0;      // address of the syscall instruction, 0 unknown
  bool trap = false;      // came in by SIGSYS
  bool left_out = false;  // a filter did not want it: it only says that its thread ends
  bool ended = false;     // false: still in the kernel when the trace stopped, or killed there
  uint8_t how = 0;        // wire::exit_* flags
  uint64_t began = 0, finished = 0;  // ns, CLOCK_MONOTONIC
  std::vector<Piece> memory;
  std::vector<OpenFile> files;  // those that it made, or changed the names of
  std::optional<Altered> altered;
  std::shared_ptr<const Stack> stack;  // null: none was recorded, or it is lost

  // Was another number or argument given to the kernel than the program asked?
  bool is_moved() const {
    return altered && altered->flags & (wire::altered_number | wire::altered_arguments);
  }
  Call made() const;  // the call that the kernel was given then
};

struct Signal {
  uint32_t pid = 0, tid = 0;
  uint64_t address = 0;
  uint8_t siginfo[48] = {};
  std::shared_ptr<const Stack> stack;  // none: nobody asked for one
};

struct Thread {
  uint32_t pid = 0, tid = 0, parent = 0;
  wire::Began began = wire::Began::image;
  std::vector<OpenFile> files;  // what a new program found open, and its directory
};

// One event of the timeline. A call that returns before anything else happens in any thread still
// comes as two items, `enter` and `leave`; both carry the same Call (complete in `leave`, and often
// already in `enter`, since the reader looks ahead). A call that never returns has no `leave`.
struct Item {
  enum class Kind { enter, leave, signal, thread, lost, ending, gone } kind = Kind::enter;
  uint64_t when = 0;  // ns, CLOCK_MONOTONIC; never smaller than in the item before
  // enter, leave; ending (like the enter of an exit, but not to be shown: nobody wanted the call);
  // gone (the process ended): the exit_group or last exit, its status in args[0].
  // Valid until the next call of Timeline::next.
  const Call* call = nullptr;
  const Signal* signal = nullptr;
  const Thread* thread = nullptr;
  uint32_t pid = 0, tid = 0;  // of whoever it happened to
  uint64_t lost = 0;  // calls missing before this point in this thread; 0: nobody knows how many
  bool returns_next = false;  // enter: the next item is its leave, and `call` is complete already
};

// What a trace does not hold, or not whole. Complete once Timeline::next has returned false.
struct Losses {
  uint64_t calls = 0;  // lost for want of room: as the writer counted them
  uint64_t gaps = 0;  // places where an unknown number of calls is missing (damage, missing blocks)
  uint64_t rolled_over =
      0;                  // blocks overwritten by newer ones in a flight recorder (mode overwrite)
  uint64_t cut = 0;       // buffers kept shorter than they were, by the writer's settings
  uint64_t cut_here = 0;  // and by the reader, to keep within its memory
  uint64_t inexact = 0;   // exact mode: calls whose memory was taken in the ordinary way
  uint64_t untraced = 0;  // calls seen but left alone by the writer
  uint64_t orphans = 0;   // results whose call is missing
  uint64_t unfinished = 0;       // calls that never came back, other than those which never do
  uint64_t damaged = 0;          // places in the files that make no sense; `check` lists them
  bool clock_uncertain = false;  // too few clock anchors: durations are a guess
};

// All events of a trace in the order of time. Memory is bounded by the number of threads alive at
// once, not by the size of the trace. Throws BadTrace only when a file that could be opened no
// longer can.
class Timeline {
 public:
  explicit Timeline(const Trace& trace);
  // One that grows (live.h). Then next() is false where nothing more is known yet.
  struct Live {};
  Timeline(const Trace& trace, Live);
  ~Timeline();
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;
  bool next(Item& item);
  Losses losses() const;
  // The trace was looked at again. What happened later than `until` (ns, CLOCK_MONOTONIC) is kept
  // back, for something older may still be found.
  void grow(uint64_t until);
  void finish();  // it will not grow again: what is open stays so

 private:
  class Merge;
  std::unique_ptr<Merge> merge_;
};

}  // namespace sctrace::read
