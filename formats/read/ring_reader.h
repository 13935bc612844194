// Bytes of one ring → its records in order, wherever they lie by now: in the ring or drained to the
// data file. Trusts nothing: a record that makes no sense ends its block with one report, and
// reading goes on with the next block. Holds one window of bytes, never a block or a file.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>
#include "formats/read/ring_reader_index.h"
#include "formats/read/ring_reader_record.h"

namespace sctrace::read {

// The files of one image while its rings are read; shared by their readers.
struct OpenImage {
  // `slots`: how many rings it may have, where more than are known now.
  OpenImage(const Image& image, Damages& report, uint32_t slots = 0);
  uint64_t site(uint16_t index) const;  // address; 0 when the table does not have it
  void look_for_drained();              // the writer may have drained more meanwhile

  const Image& image;
  uint32_t slots;
  Damages& damages;
  File ring;
  std::optional<File> data;
  DataIndex index;
  std::vector<uint64_t> sites;
  std::function<void(uint64_t bytes)> on_block = {};  // told of each that is read, if somebody asks
};

struct Step {
  enum class Kind { block, record, gap, end } kind = Kind::end;
  // block: who writes from here on, and the calls lost on this ring before it in all
  uint32_t pid = 0, tid = 0;
  uint64_t lost = 0;
  // record: valid until the next step
  std::span<const uint8_t> bytes;
  uint64_t tsc = 0;
  // gap: so many blocks are missing; 0: one, or the rest of one, which was reported as damage.
  // `rolled`: overwritten by newer ones, as intended
  uint64_t missing = 0;
  bool rolled = false;
};

class RingReader {
 public:
  RingReader(std::shared_ptr<OpenImage> image, uint32_t slot);
  Step next();
  // The ring has come further: what said `end` may have more to say. `goes_on`: it is still being
  // written, and what its writer may take back is left for later.
  void grow(bool goes_on);

  // Hands over the records that lie ready, one after the other, for as long as they make sense;
  // next() says what then comes. take(header, bytes, tsc); the bytes are gone when it returns.
  template <class Take>
  void walk(Take&& take);
  // How many bytes are read at a time: more for who reads one ring after the other.
  void read_ahead(uint64_t bytes) { often_ = bytes; }

  // Where the last block and record lie, for repair and reports.
  const std::string& file() const { return in_ring_ ? image_->ring.path() : image_->data->path(); }
  uint64_t block_offset() const { return block_at_; }
  uint64_t position() const { return position_; }  // in the block: behind the last whole record
  const wire::BlockHeader& block() const { return block_; }

 private:
  bool open_block(Step& step);
  const Slot& slot() const { return image_->image.slots[number_]; }
  uint64_t head() const;
  void look_at_ring();
  bool is_open_end() const;
  bool try_ring(uint64_t sequence);
  bool try_data(uint64_t sequence);
  uint64_t next_sequence() const;
  const uint8_t* bytes(uint64_t position, uint64_t count);
  bool fill(uint64_t position, uint64_t count);
  bool is_still_there() const;
  Step torn(const char* why);
  Step record_at(const wire::Header& header, const uint8_t* bytes);
  void follow_clock(const wire::Header& header, const uint8_t* bytes);

  std::shared_ptr<OpenImage> image_;
  uint32_t number_;
  uint64_t sequence_ = 0;                   // of the block to come
  uint64_t ring_first_ = 0, ring_end_ = 0;  // blocks that were in the ring when we looked
  uint64_t end_ = 0;                        // behind the last that is to be read
  bool in_block_ = false, in_ring_ = true;
  bool grows_ = false;  // then what may be taken back is not read
  bool left_ = false;   // the block that was being read is gone: say so
  wire::BlockHeader block_{};
  uint64_t block_at_ = 0, limit_ = 0, position_ = 0;
  uint64_t base_ = 0, tsc_ = 0;
  uint64_t often_ = 16384;  // a few hundred records; 10 000 threads then take 160 MB
  std::vector<uint8_t> window_;
  uint64_t window_at_ = 0, window_bytes_ = 0;
};

template <class Take>
void RingReader::walk(Take&& take) {
  if (!in_block_ || position_ < window_at_) return;
  const uint64_t end = std::min(limit_, window_at_ + window_bytes_);
  const uint8_t* at = window_.data() + (position_ - window_at_);
  while (position_ + sizeof(wire::Header) <= end) {
    wire::Header header;
    std::memcpy(&header, at, sizeof header);
    const uint64_t size = header.units * 8u;
    if (size == 0 || size > end - position_) return;
    if (!is_plainly_right(header, at) && wrong_with(header, at)) return;
    follow_clock(header, at);
    position_ += size;
    take(header, at, tsc_);
    at += size;
  }
}

inline void RingReader::follow_clock(const wire::Header& header, const uint8_t* bytes) {
  if (header.type == wire::Type::time) [[unlikely]]
    std::memcpy(&base_, bytes + offsetof(wire::Time, tsc), sizeof base_);
  if (header.type != wire::Type::data && header.type != wire::Type::stack)
    tsc_ = base_ + header.ticks;  // these happen with what is around them
}

}  // namespace sctrace::read
