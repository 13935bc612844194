// Which blocks a data file holds, by ring and sequence: 16 bytes of memory a block. Written blocks
// never change, so a file that grows is only scanned from where the last scan ended.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>
#include "formats/read/trace.h"
#include "formats/read/trace_file.h"

namespace sctrace::read {

struct BlockPlace {
  uint64_t sequence = 0, offset = 0;
};

class DataIndex {
 public:
  // `damages` hears of blocks that make no sense. A hole and a block cut off by the file's end are
  // none: their drainer was killed or the disk full, and then the block is still in its ring, or
  // was written again farther on, or its number is missing.
  void scan(const File& data, uint64_t block_bytes, uint32_t slots, Damages& damages);
  // The first block of this ring with at least this sequence number.
  std::optional<BlockPlace> from(uint32_t slot, uint64_t sequence) const;
  uint64_t end(uint32_t slot) const;  // one more than its last sequence number, 0 without blocks

 private:
  std::vector<std::vector<BlockPlace>> places_;  // by slot, sorted by sequence
  bool look_at(const File& data, uint64_t offset, uint64_t block_bytes, uint64_t size,
               Damages& damages);
  uint64_t scanned_ = 0;
  std::vector<uint64_t> unwritten_;  // places that were still empty or torn when we came by
};

}  // namespace sctrace::read
