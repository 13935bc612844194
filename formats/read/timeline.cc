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
Losses Timeline::losses() const { return merge_->losses(); }

}  // namespace sctrace::read
