// What a process was when its image began: /proc/self/status and /proc/self/limits, as the writer
// kept them behind the header of the first ring.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "formats/read/trace.h"
#include "formats/read/trace_file.h"

namespace sctrace::read {

class NewFile;

struct Limit {
  std::string name, soft, hard, unit;  // "Max open files", "1024", "unlimited", "files"
};

struct Beginning {
  // As proc(5) has them: "Uid" and what stands behind it, blanks taken off both ends.
  std::vector<std::pair<std::string, std::string>> status;
  std::vector<Limit> limits;

  std::string field(const std::string& name) const;  // empty: not told
  std::vector<std::string> words(const std::string& name) const;
  std::vector<uint32_t> signals(const std::string& name) const;  // those of a mask
};

// Nothing in it where the writer told nothing.
Beginning beginning_of(const Image& image);
// The same into another file of that shape.
void copy_beginning(const File& from, NewFile& to, const Image& image);

}  // namespace sctrace::read
