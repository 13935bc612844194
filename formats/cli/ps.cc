// `sctrace ps`: who carries the library, and what becomes of their calls.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "formats/cli/json.h"
#include "formats/cli/processes.h"
#include "formats/cli/switch.h"
#include "formats/cli/verbs.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

namespace {

struct State {
  const char* word = "recording";
  const char* mode = "-";
  uint64_t calls = 0, lost = 0;
};

// As its memory says; where that may not be read, it records.
bool is_off(const Carrier& one) try { return !status_of(one).recording; } catch (const CantReach&) {
  return false;
}

// Calls are the process' own, where several share an image by fork: by the rings' owners.
State state_of(const Carrier& one) {
  State state;
  if (one.ring_file.empty()) return state.word = "not recording", state;
  constexpr const char* modes[] = {"stream", "overwrite", "discard", "block", "counts"};
  try {
    read::Damages damages;
    const read::Image image = read::open_image(one.ring_file, damages);
    const read::Trace trace(one.trace());
    state.mode = modes[static_cast<int>(image.mode)];  // open_image() has checked it
    if (trace.stopped()) state.word = "stopped (limit)";
    if (is_off(one)) state.word = "off";
    for (const read::Slot& slot : image.slots)
      if (slot.pid == one.pid)
        state.calls += slot.calls_stub + slot.calls_trap, state.lost += slot.lost;
  } catch (const read::BadTrace&) {
    state.word = "trace unreadable";
  }
  return state;
}

}  // namespace

int verb_ps(int argc, char** argv) {
  CLI::App app(
      "Lists processes that carry libsctrace.so: those of this user, or all that may be read.\n"
      "STATE: recording, not recording (disabled or refused), off (`sctrace ctl`),\n"
      "stopped (size): --max-size reached.\n"
      "CALLS counts all that the process made; LOST those for which there was no room.");
  bool json = false;
  app.add_flag("--json", json,
               "a list of objects: pid, name, state, mode, calls, lost, trace (null: none)");
  if (const auto status = parse(app, argc, argv)) return *status;
  const char* comma = "";
  if (json)
    fmt::print("[");
  else
    fmt::print("{:>7} {:<16} {:<14} {:<9} {:>12} {:>8} {}\n", "PID", "PROGRAM", "STATE", "MODE",
               "CALLS", "LOST", "TRACE");
  for (const Carrier& one : carriers()) {
    const State state = state_of(one);
    if (json)
      fmt::print(
          "{}\n  {{\"pid\": {}, \"name\": {}, \"state\": \"{}\", \"mode\": \"{}\", "
          "\"calls\": {}, \"lost\": {}, \"trace\": {}}}",
          comma, one.pid, json_quoted(one.name), state.word, state.mode, state.calls, state.lost,
          one.ring_file.empty() ? "null" : json_quoted(one.trace()));
    else
      fmt::print("{:>7} {:<16} {:<14} {:<9} {:>12} {:>8} {}\n", one.pid, one.shown_name(),
                 state.word, state.mode, state.calls, state.lost,
                 one.ring_file.empty() ? "-" : one.trace());
    comma = ",";
  }
  if (json) fmt::print("\n]\n");
  return 0;
}

}  // namespace sctrace::cli
