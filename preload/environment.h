// How a traced program's exec hands us on, and how the new program's constructor makes its
// environment again what the exec said, to the last entry and pointer. One variable carries it:
//   SCTRACE_INHERIT = (+|-) (+|-) (+|-) <LD_PRELOAD as it was> \n <trace directory> \n
//   <SCTRACE_X=value \n …>
//   !SCTRACE_X=value \n …  those that `sctrace ctl` has given since, which stand above all others
// The first sign: was there an LD_PRELOAD; the second: is the new program followed; the third: is
// it recorded from its start on.
#pragma once
#include <atomic>
#include <cstdint>

namespace sctrace::preload {

struct Environment {
  char library[1024];             // path of libsctrace.so, for LD_PRELOAD
  char settings[4096];            // our SCTRACE_* settings, each ended by \n
  char told[2][4096];             // those that came while it ran, likewise, each with a ! in front
  std::atomic<uint32_t> told_at;  // which of the two is whole
  bool inherited;                 // this program came by a traced exec
  bool left;                      // and is not to be followed
  bool starts;                    // recording
  char directory[1024];           // then: the trace that it belongs to
};
extern Environment environment;

// Takes SCTRACE_INHERIT and the settings out of `list` into `environment`.
void read_environment(const char* const* list);

// Settings for what is executed from now on: lines NAME=VALUE. One thread at a time.
void tell_later_programs(const char* lines);

// Makes `list` what the exec gave, in place. No-op in a program that did not come by a traced exec.
void restore_environment(char** list);

// The value of NAME in a list of NAME=VALUE; null if it is not there.
const char* variable(const char* const* list, const char* name);

const char* without_us(
    char* preload);  // the list without libsctrace.so, in place; null when nothing is left

}  // namespace sctrace::preload
