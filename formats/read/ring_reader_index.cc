#include "formats/read/ring_reader_index.h"

#include <algorithm>

namespace sctrace::read {

namespace {
const char* wrong_with(const wire::BlockHeader& header, uint64_t block_bytes, size_t slots) {
  if (header.magic != wire::block_magic) return "no block begins here";
  if (header.slot >= slots) return "block of a ring that the image does not have";
  if (header.sequence >> 52) return "block of impossible number";
  if (header.used < sizeof header || header.used > block_bytes || header.used % 8)
    return "block of impossible length";
  return nullptr;
}
}  // namespace

// False: nobody has written there, or not to the end.
bool DataIndex::look_at(const File& data, uint64_t offset, uint64_t block_bytes, uint64_t size,
                        Damages& damages) {
  wire::BlockHeader header{};
  const size_t got = data.read(offset, &header, sizeof header);
  if (got < sizeof header || header.magic == 0) return false;
  if (const char* wrong = wrong_with(header, block_bytes, places_.size())) {
    damages.add(data.path(), offset, wrong);
    return true;
  }
  if (header.used > size - offset) return false;
  places_[header.slot].push_back({header.sequence, offset});
  return true;
}

void DataIndex::scan(const File& data, uint64_t block_bytes, uint32_t slots, Damages& damages) {
  constexpr size_t remembered = 4096;  // drainers at one time; what a killed one left stays empty
  if (places_.size() < slots) places_.resize(slots);
  const uint64_t size = data.size();
  std::erase_if(unwritten_,
                [&](uint64_t offset) { return look_at(data, offset, block_bytes, size, damages); });
  for (; scanned_ < size; scanned_ += block_bytes) {
    if (look_at(data, scanned_, block_bytes, size, damages)) continue;
    if (unwritten_.size() < remembered) unwritten_.push_back(scanned_);
    // A hole: jump it, a sparse file may have terabytes of it.
    const uint64_t next = data.next_data(scanned_);
    if (next > scanned_ + block_bytes) scanned_ = next / block_bytes * block_bytes - block_bytes;
  }
  for (auto& slot :
       places_) {  // of two with one number the later counts: the first was not finished
    const auto before = [](const BlockPlace& a, const BlockPlace& b) {
      return a.sequence < b.sequence;
    };
    if (!std::is_sorted(slot.begin(), slot.end(), before))
      std::stable_sort(slot.begin(), slot.end(), before);
    const auto same = [](const BlockPlace& a, const BlockPlace& b) {
      return a.sequence == b.sequence;
    };
    slot.erase(slot.begin(), std::unique(slot.rbegin(), slot.rend(), same).base());
  }
}

std::optional<BlockPlace> DataIndex::from(uint32_t slot, uint64_t sequence) const {
  if (slot >= places_.size()) return std::nullopt;
  const auto& places = places_[slot];
  const auto found = std::lower_bound(
      places.begin(), places.end(), sequence,
      [](const BlockPlace& place, uint64_t wanted) { return place.sequence < wanted; });
  if (found == places.end()) return std::nullopt;
  return *found;
}

uint64_t DataIndex::end(uint32_t slot) const {
  return slot < places_.size() && !places_[slot].empty() ? places_[slot].back().sequence + 1 : 0;
}

}  // namespace sctrace::read
