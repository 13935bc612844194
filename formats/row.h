// A call as one row of a table: what databases and column files are given of it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "formats/format.h"

namespace sctrace {

// Who is who, for columns that name a thread's program.
class Who {
 public:
  void birth(const Birth& birth);
  void name(const Naming& naming) { threads_[naming.tid] = naming.name; }
  const std::string& program(uint32_t pid) { return programs_[pid]; }  // its path
  const std::string& thread(uint32_t tid) { return threads_[tid]; }

 private:
  std::unordered_map<uint32_t, std::string> programs_, threads_;
};

// The descriptor that a call is about, if its first argument is one.
std::optional<int32_t> descriptor_of(const Event& event);
// The first file that a call names or reaches by descriptor, absolute where that is known; empty:
// none, or unknown.
std::string path_of(const Event& event);
// Names of callers, outermost first, between semicolons; empty: none were recorded.
std::string stack_of(const Event& event);
// ENOENT, or the number of an error without a name; empty: it did not fail.
std::string error_of(const Event& event);

}  // namespace sctrace
