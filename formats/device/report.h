// What a controller is told, before it is a line (here) or a frame (packed.h).
#pragma once
#include <cstdint>
#include <string>

#include "formats/read/timeline.h"

namespace sctrace::device {

struct Report {
  enum class Kind : uint16_t {
    call = 1,   // `call` waits
    result,     // it came back: `number`
    signal,     // `number`, its siginfo in `bytes`
    fork,       // told without a question: the new process, `number`
    exec,       // `bytes` is the path
    exit,       // `number`
    lost,       // so many stops
    withdrawn,  // of a report: it is no more, and will come anew
    late,       // it waited longer than the controller's patience
    gone,       // its process is no more
    data,       // to get: `bytes` behind `argument`
    error,      // a message that makes no sense: `line`, and `bytes` says why
  };
  Kind kind = Kind::call;
  uint32_t pid = 0, tid = 0;
  int64_t number = 0;
  std::string bytes = {};
  const read::Call* call = nullptr;
  uint16_t argument = 0;  // from 0; error: which frame
  std::string line = {};
};

std::string as_line(const Report& report, uint64_t limit);  // buffers up to `limit` bytes

}  // namespace sctrace::device
