// Words for what formats show beside their own fields: a call in strace's notation, the names of
// its arguments, how a process ended. So that no format invents its own.
#pragma once
#include <string>
#include <string_view>

#include "formats/format.h"

namespace sctrace {

// openat(AT_FDCWD, "x", O_RDONLY) = -1 ENOENT (No such file or directory)
std::string phrase(const Event& event, const TextOptions& words);
void put_phrase(std::string& to, const Event& event, const TextOptions& words);
// The name of an argument, as the kernel calls it; never empty.
std::string_view argument_name(const Event& event, size_t index);
// "exited with 3", "killed by SIGKILL", "core dumped" behind it; empty if unknown.
std::string phrase(const Death& death);
// "5 calls are missing here", "calls are missing here, nobody knows how many"
std::string phrase(const Loss& loss);

// The name of a thread for formats whose readers print it as it is, line by line: control
// characters as `?`, at most 15 bytes.
std::string on_a_line(std::string_view name, size_t most = 15);

// What a trace does not hold, one row a kind: "calls lost", and how many.
struct Missing {
  std::string_view name, what;  // a word for machines, and for people
  uint64_t count = 0;
};
std::vector<Missing> missing(const Losses& losses);  // only what is not 0

}  // namespace sctrace
