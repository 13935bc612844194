// Processes that carry our library, found where the kernel tells what is mapped (/proc/PID/maps):
// of this user, or of all where that may be read. They are not asked and do not notice.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sctrace::cli {

struct Carrier {
  uint32_t pid = 0;
  std::string name;                // as in /proc/PID/comm
  std::string ring_file;           // that it has mapped; empty: it records nothing
  std::string trace() const;       // the directory of it, empty likewise
  std::string shown_name() const;  // for a terminal: a program may call itself anything
};

std::optional<Carrier> carrier(uint32_t pid);
std::vector<Carrier> carriers();                             // by pid
std::vector<Carrier> carriers_of(const std::string& trace);  // those that write there

bool writes_into(uint32_t pid, const std::string& trace);

// The trace that is meant by a directory, a pid or the name of a running program; with `pid`,
// whose. Empty: as trace_named(). Throws BadTrace: nothing of the kind, or several.
struct Meant {
  std::string trace;
  uint32_t pid = 0;  // 0: all of it
};
Meant trace_meant(const std::string& given);

}  // namespace sctrace::cli
