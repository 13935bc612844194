// How a traced program's exec hands us on, and how the new program's constructor makes its
// environment again what the exec said, to the last entry and pointer. One variable carries it:
//   SCTRACE_INHERIT = (+|-) (+|-) (+|-) <LD_PRELOAD as it was> \n <trace directory> \n
//   <SCTRACE_X=value \n …>
// The first sign: was there an LD_PRELOAD; the second: is the new program followed; the third: is
// it recorded from its start on.
#pragma once
#include <cstdint>

namespace sctrace::preload {

struct Environment {
  char library[1024];    // path of libsctrace.so, for LD_PRELOAD
  char settings[4096];   // our SCTRACE_* settings, each ended by \n
  bool inherited;        // this program came by a traced exec
  bool left;             // and is not to be followed
  bool starts;           // recording
  char directory[1024];  // then: the trace that it belongs to
};
extern Environment environment;

// Takes SCTRACE_INHERIT and the settings out of `list` into `environment`.
void read_environment(const char* const* list);

// Makes `list` what the exec gave, in place. No-op in a program that did not come by a traced exec.
void restore_environment(char** list);

// The value of NAME in a list of NAME=VALUE; null if it is not there.
const char* variable(const char* const* list, const char* name);

const char* without_us(
    char* preload);  // the list without libsctrace.so, in place; null when nothing is left

}  // namespace sctrace::preload
