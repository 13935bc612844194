#include <algorithm>

#include "formats/read/timeline.h"

namespace sctrace::read {

Call Call::made() const {
  Call call = *this;
  if (!is_moved()) return call;
  call.nr = altered->nr;
  std::copy(altered->args, altered->args + 6, call.args);
  call.argc = 6;
  call.memory = altered->memory;
  for (const Piece& piece : memory)  // what the kernel gave, and what it was not asked to look at
    call.memory.push_back(piece);
  call.altered.reset();
  return call;
}

}  // namespace sctrace::read
