// A trace as it is at this moment, copied while programs go on writing it: no copy of theirs is
// waited for, and they notice nothing. First it is read how far each ring has come, all of them in
// one go; no more than that is copied, and a block that its writer took for something newer
// meanwhile is marked as such, so that a reader finds a gap there and never a torn record.
#pragma once
#include <cstdint>
#include <string>

namespace sctrace::read {

struct Snapshot {
  uint64_t images = 0, rings = 0, bytes = 0;
};

// `to` must not exist: it appears when it is whole. Throws BadTrace, and leaves nothing behind.
Snapshot snapshot(const std::string& from, const std::string& to);

}  // namespace sctrace::read
