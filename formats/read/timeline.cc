#include "formats/read/timeline.h"

#include <algorithm>

#include "formats/read/merge.h"

namespace sctrace::read {

Timeline::Timeline(const Trace& trace) : merge_(std::make_unique<Merge>(trace)) {}
Timeline::Timeline(const Trace& trace, Live) : merge_(std::make_unique<Merge>(trace, true)) {}
Timeline::~Timeline() = default;
bool Timeline::next(Item& item) { return merge_->next(item); }
void Timeline::grow(uint64_t until) { merge_->grow(until); }
void Timeline::finish() { merge_->finish(); }
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

Losses Timeline::losses() const { return merge_->losses(); }

}  // namespace sctrace::read
