// Is every byte of a trace what it should be? And what of a torn one can be made whole again.
#pragma once
#include <functional>
#include <string>
#include <vector>
#include "formats/read/trace.h"

namespace sctrace::read {

struct Checked {
  std::vector<Damage> problems;  // damage; the first thousand
  std::vector<Damage>
      notes;  // no damage, but worth a line: killed while recording, still recording
  uint64_t problem_count = 0;
  uint64_t images = 0, calls = 0;
  bool is_being_written = false;
};

// Reads everything. Throws BadTrace only when the directory is no trace at all.
// `progress`, now and then: 0 to 1.
Checked check(const std::string& directory, const std::function<void(double)>& progress = {});

// Rewrites what is torn into a second directory and exchanges the two in one step, so that at any
// time one whole trace is there. Keeps every record that can be read; an image that cannot be read
// at all stays in the trace as `*.bad`. Returns what was done, one line each; nothing when all was
// well. Throws BadTrace when it may not (still being written) or cannot.
std::vector<std::string> repair(const std::string& directory);

// Is a process alive that has this file mapped?
bool is_being_written(const Image& image);

}  // namespace sctrace::read
