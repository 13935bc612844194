#include "formats/read/timeline.h"

#include "formats/read/merge.h"

namespace sctrace::read {

Timeline::Timeline(const Trace& trace) : merge_(std::make_unique<Merge>(trace)) {}
Timeline::~Timeline() = default;
bool Timeline::next(Item& item) { return merge_->next(item); }
Losses Timeline::losses() const { return merge_->losses(); }

}  // namespace sctrace::read
