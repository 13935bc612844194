// Config: SCTRACE_* as values. read_config() takes them from the environment, one row an option; a
// bad name or value is one line and the default. What it says holds for the life of the program.
#pragma once
#include <cstdint>

#include "formats/wire/expression.h"
#include "formats/wire/session.h"
#include "preload/redact.h"
#include "preload/say.h"

namespace sctrace::preload {

enum class Doors : uint8_t { automatic, trap, stub };
enum class Stacks : uint8_t { off, fp, unwind, automatic };

struct Config {
  char output[1024] = "sctrace-%e-%p";
  bool capture_in = true, capture_out = true;
  uint64_t strsize = 256;         // bytes of each data buffer; ~0 = all
  uint64_t strsize_of[512] = {};  // the same by number, where some are named
  wire::Mode mode = wire::Mode::stream;
  uint64_t ring_bytes = 1 << 20;
  uint64_t max_bytes = 0;
  bool follow_fork = true, follow_exec = true;
  char comm[256] = "";  // names with commas; empty = all
  Doors doors = Doors::automatic;
  bool vdso = false;
  Stacks stack = Stacks::off;  // stack.h
  uint64_t stack_depth = 32;
  Level log = Level::warn;
  char log_file[512] = "";
  bool exact = false;  // the kernel works on our copies: exact.h
  bool disabled = false;
  Redaction redaction;
  bool starts = true;       // recording, and not only when `sctrace ctl` says so: live.h
  char inject[1024] = "";   // inject.h
  char control[128] = "";   // control.h
  char engine[1024] = "";   // engine.h
  wire::Expression filter;  // of SCTRACE_FILTER and SCTRACE_MIN_DURATION
  bool asks_for_paths = false, asks_for_time = false;
  uint64_t least_ns = 0, sample = 1;
  wire::Wrong wrong;           // of the value last refused, where it has a column
  bool caches = true;          // plans: plan_cache.h
  char cache[1024] = "";       // where; empty: as the environment says
  uint8_t traced[512] = {};    // by number
  bool traced_unknown = true;  // numbers beyond the table
};

// `environment`: NAME=VALUE strings, ended by null. Settings that came with exec (inherited) count
// where the environment itself has none; those told since (environment.h) count before it. `speak`:
// say what is wrong with them.
void read_config(const char* const* environment, const char* inherited, const char* told,
                 bool speak, Config& config);

bool try_strsize(const char* text, Config& config);   // as SCTRACE_STRSIZE
bool parse_stacks(const char* text, Stacks& stacks);  // as SCTRACE_STACK

// strace's -e trace= grammar; false and `bad` (the word that is not understood) when it is none.
bool parse_trace(const char* text, uint8_t* traced, bool& traced_unknown, char* bad,
                 uint64_t bad_bytes);

}  // namespace sctrace::preload
