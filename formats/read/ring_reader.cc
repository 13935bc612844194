#include "formats/read/ring_reader.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

namespace sctrace::read {

OpenImage::OpenImage(const Image& which, Damages& report, uint32_t most)
    : image(which),
      slots(std::max(most, static_cast<uint32_t>(which.slots.size()))),
      damages(report),
      ring(which.ring_file) {
  look_for_drained();
  std::vector<wire::Site> table(image.site_count);
  const size_t got =
      ring.read(offsetof(wire::Image, sites), table.data(), table.size() * sizeof(wire::Site));
  for (size_t n = 0; n < got / sizeof(wire::Site); ++n) sites.push_back(table[n].address);
}

uint64_t OpenImage::site(uint16_t number) const {
  return number < sites.size() ? sites[number] : 0;
}

void OpenImage::look_for_drained() {
  std::error_code error;
  // It may have been moved away since, into another trace.
  if (data && !data->is_named(image.data_file)) data.reset(), index = {};
  if (!data && std::filesystem::exists(image.data_file, error)) data.emplace(image.data_file);
  if (data) index.scan(*data, image.block_bytes, slots, damages);
}

RingReader::RingReader(std::shared_ptr<OpenImage> image, uint32_t slot)
    : image_(std::move(image)), number_(slot) {
  look_at_ring();
  // A ring at rest has drained nothing behind its head: a head that says so lies. (One that goes on
  // may.)
  const uint64_t drained_end = image_->index.end(number_);
  if (this->slot().state != wire::RingState::live && drained_end > end_) {
    image_->damages.add(image_->ring.path(),
                        image_->image.slot_offset(number_) + offsetof(wire::RingHeader, head),
                        "blocks were drained that the ring does not know of");
    // A flight recorder drains nothing, and reads its numbers one by one.
    if (image_->image.mode != wire::Mode::overwrite) end_ = drained_end;
  }
}

// Up to where there is something to be read.
uint64_t RingReader::head() const {
  const bool unsettled = grows_ && slot().state == wire::RingState::live && slot().settled;
  return unsettled ? std::min(slot().head, slot().settled) : slot().head;
}

void RingReader::look_at_ring() {
  const uint64_t size = image_->image.block_bytes, blocks = image_->image.blocks();
  const uint64_t in_ring = (slot().head + size - 1) / size;
  const uint64_t newest = in_ring > blocks ? in_ring - blocks : 0;
  end_ = ring_end_ = (head() + size - 1) / size;
  ring_first_ = image_->image.mode == wire::Mode::overwrite
                    ? newest
                    : std::max(newest, slot().drained / size);
}

// Of a block that is not full yet all is read: there may be more, in time.
bool RingReader::is_open_end() const {
  return in_ring_ && head() < (block_.sequence + 1) * image_->image.block_bytes;
}

void RingReader::grow(bool goes_on) {
  grows_ = goes_on;
  look_at_ring();
  if (ring_first_ > image_->index.end(number_)) image_->look_for_drained();
  if (!in_block_ || !in_ring_) return;
  window_bytes_ = 0;  // ends where the ring ended
  if (try_ring(block_.sequence)) return;
  image_->look_for_drained();
  const uint64_t sequence = sequence_ - 1;
  if (image_->data && try_data(sequence)) return;
  in_block_ = false;
  left_ = true;
}

namespace {
Step gap(uint64_t missing, bool rolled) {
  Step step;
  step.kind = Step::Kind::gap;
  step.missing = missing;
  step.rolled = rolled;
  return step;
}
}  // namespace

// The next block that may be readable: a drained one, or the ring's own part.
uint64_t RingReader::next_sequence() const {
  // What is in another trace may be here once more: two drained it at the same time.
  const uint64_t least = std::max(sequence_, slot().rotated / image_->image.block_bytes);
  // Behind the ring are only blocks that the data file has: it may name numbers without bound.
  uint64_t next = least < ring_first_ ? ring_first_ : least < ring_end_ ? least : end_;
  if (const auto place = image_->index.from(number_, least)) next = std::min(next, place->sequence);
  return std::min(next, end_);
}

bool RingReader::try_ring(uint64_t sequence) {
  const Image& image = image_->image;
  if (sequence * image.block_bytes >= head()) return false;
  block_at_ = image.slot_offset(number_) + wire::ring_header_bytes +
              sequence % image.blocks() * image.block_bytes;
  const size_t got = image_->ring.read(block_at_, &block_, sizeof block_);
  in_ring_ = true;
  if (got < sizeof block_ || block_.magic != wire::block_magic || block_.sequence != sequence ||
      block_.slot != number_)
    return false;
  // The block of `head` is filled up to there; those before it say themselves how far, and 0 would
  // mean that their owner never closed them.
  const uint64_t published = head() - sequence * image.block_bytes;
  limit_ = published >= image.block_bytes ? block_.used : published;
  return limit_ >= sizeof block_ && limit_ <= image.block_bytes && limit_ % 8 == 0;
}

bool RingReader::try_data(uint64_t sequence) {
  const auto place = image_->index.from(number_, sequence);
  if (!place || place->sequence != sequence) return false;
  block_at_ = place->offset;
  in_ring_ = false;
  if (image_->data->read(block_at_, &block_, sizeof block_) < sizeof block_) return false;
  limit_ = block_.used;  // checked by the index; checked again, for the file could be changing
  return limit_ >= sizeof block_ && limit_ <= image_->image.block_bytes;
}

// Opens the next block into `step`, or makes it the gap before it. False: that was the last.
bool RingReader::open_block(Step& step) {
  const bool overwrite = image_->image.mode == wire::Mode::overwrite;
  const uint64_t next = overwrite ? std::max(sequence_, ring_first_) : next_sequence();
  if (next != sequence_) {
    step = gap(next - sequence_, overwrite || next * image_->image.block_bytes <= slot().rotated);
    sequence_ = next;
    return true;
  }
  if (sequence_ >= end_) return false;
  bool found = sequence_ >= ring_first_ && try_ring(sequence_);
  const uint64_t tried = block_at_;
  if (!found && image_->data) {
    found = try_data(sequence_);
    // A live writer may have drained it since we looked for what is in the data file.
    if (!found && slot().state == wire::RingState::live)
      image_->look_for_drained(), found = try_data(sequence_);
  }
  ++sequence_;
  if (!found) {
    // A flight recorder goes on while we read, and its oldest block may be half overwritten at the
    // end.
    const bool rolled =
        overwrite && ((sequence_ - 1 == ring_first_ && ring_first_ > 0) ||
                      (block_.magic == wire::block_magic && block_.sequence >= sequence_));
    if (!rolled) image_->damages.add(image_->ring.path(), tried, "block cannot be read");
    step = gap(rolled ? 1 : 0, rolled);
    return true;
  }
  in_block_ = true;
  position_ = sizeof block_;
  base_ = tsc_ = block_.tsc;
  window_bytes_ = 0;
  if (image_->on_block) image_->on_block(limit_);
  step = Step{};
  step.kind = Step::Kind::block;
  step.pid = block_.pid, step.tid = block_.tid, step.lost = block_.lost;
  return true;
}

// A ring goes on while it is read: what was copied counts only if the block had not been begun
// anew.
bool RingReader::is_still_there() const {
  if (!in_ring_ || slot().state != wire::RingState::live) return true;
  wire::BlockHeader now{};
  return image_->ring.read(block_at_, &now, sizeof now) == sizeof now &&
         now.magic == wire::block_magic && now.sequence == block_.sequence;
}

bool RingReader::fill(uint64_t position, uint64_t count) {
  const uint64_t want = std::min(std::max(count, often_), limit_ - position);
  if (window_.size() < want) window_.resize(want);
  const File& file = in_ring_ ? image_->ring : *image_->data;
  window_at_ = position;
  window_bytes_ = file.read(block_at_ + position, window_.data(), want);
  return window_bytes_ >= count;
}

const uint8_t* RingReader::bytes(uint64_t position, uint64_t count) {
  if (count > limit_ - position) return nullptr;
  if (position < window_at_ || position + count > window_at_ + window_bytes_) {
    if (!fill(position, count)) return nullptr;
    if (!is_still_there()) {
      image_->look_for_drained();
      if (!image_->data || !try_data(block_.sequence) || !fill(position, count)) return nullptr;
    }
  }
  return window_.data() + (position - window_at_);
}

Step RingReader::torn(const char* why) {
  in_block_ = false;
  // Taken back or overwritten while we read it: no damage, only early or late.
  if (in_ring_ && slot().state == wire::RingState::live && slot().settled &&
      block_.sequence * image_->image.block_bytes + position_ >= slot().settled)
    return next();
  const bool rolled = image_->image.mode == wire::Mode::overwrite && !is_still_there();
  if (!rolled) image_->damages.add(file(), block_at_ + position_, why);
  return gap(rolled ? 1 : 0, rolled);
}

Step RingReader::next() {
  Step step;
  if (left_) {
    left_ = false;
    return gap(image_->image.mode == wire::Mode::overwrite ? 1 : 0,
               image_->image.mode == wire::Mode::overwrite);
  }
  if (in_block_ && position_ >= limit_ && is_open_end()) return step;
  if (!in_block_ || position_ >= limit_) {
    in_block_ = false;
    if (!open_block(step)) return {};
    return step;
  }
  const uint8_t* start = bytes(position_, sizeof(wire::Header));
  if (!start) return torn("block ends within a record");
  wire::Header header;
  std::memcpy(&header, start, sizeof header);
  if (header.units == 0) return torn("record of no length");
  const uint64_t size = header.units * 8u;
  const uint8_t* whole = bytes(position_, size);
  if (!whole) return torn("record reaches beyond its block");
  std::memcpy(&header, whole, sizeof header);  // maybe read anew, from a file that changes under us
  if (header.units * 8u != size) return torn("record changed while it was read");
  if (!is_plainly_right(header, whole))
    if (const char* why = wrong_with(header, whole)) return torn(why);
  return record_at(header, whole);
}

Step RingReader::record_at(const wire::Header& header, const uint8_t* whole) {
  const uint64_t size = header.units * 8u;
  follow_clock(header, whole);
  position_ += size;
  Step step;
  step.kind = Step::Kind::record;
  step.bytes = {whole, size};
  step.tsc = tsc_;
  return step;
}

}  // namespace sctrace::read
