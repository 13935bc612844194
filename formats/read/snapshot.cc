#include "formats/read/snapshot.h"
#include "formats/wire/metadata.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "formats/read/beginning.h"
#include "formats/read/check_file.h"
#include "formats/read/live.h"
#include "formats/read/trace.h"
#include "formats/read/trace_file.h"
#include "formats/wire/counters.h"

namespace sctrace::read {

namespace fs = std::filesystem;

namespace {

// What lies behind may yet be taken back, and is not the trace's.
uint64_t end_of(const Slot& slot) {
  return slot.state == wire::RingState::live && slot.settled ? std::min(slot.head, slot.settled)
                                                             : slot.head;
}

class Copier {
 public:
  Copier(const Image& image, const std::string& to, Snapshot& done)
      : image_(image), from_(image.ring_file), to_(to), done_(done) {}

  void copy() {
    header();
    to_.resize(image_.slot_offset(static_cast<uint32_t>(image_.slots.size())));
    copy_beginning(from_, to_, image_);
    for (uint32_t n = 0; n < image_.slots.size(); ++n) ring(n);
    ++done_.images, done_.rings += image_.slots.size();
  }

 private:
  void header() {
    const std::unique_ptr<wire::Image> header = header_of(image_.ring_file);
    header->last[0] = clocks_now();
    header->last_turn = 0;
    header->slots_used = static_cast<uint32_t>(image_.slots.size());
    to_.write(0, header.get(), sizeof *header);
    done_.bytes += sizeof *header;
  }

  void ring(uint32_t n) {
    const Slot& slot = image_.slots[n];
    const uint64_t at = image_.slot_offset(n), size = image_.block_bytes;
    const uint64_t head = end_of(slot);
    wire::RingHeader header{};
    from_.read(at, static_cast<void*>(&header), sizeof header);
    header.state = slot.state, header.head = head, header.drained = slot.drained;
    header.settled = 0;
    header.lost = slot.lost;
    to_.write(at, &header, sizeof header);
    if (image_.mode == wire::Mode::counts) return counters(at + wire::ring_header_bytes);
    const uint64_t end = (head + size - 1) / size;
    uint64_t first = end > image_.blocks() ? end - image_.blocks() : 0;
    if (image_.mode != wire::Mode::overwrite) first = std::max(first, slot.drained / size);
    for (uint64_t sequence = first; sequence < end; ++sequence)
      block(at + wire::ring_header_bytes + sequence % image_.blocks() * size, sequence,
            std::min(size, head - sequence * size));
  }

  void counters(uint64_t at) {
    constexpr uint64_t page = 4096;
    const uint64_t end = at + wire::counters_bytes;
    bytes_.resize(page);
    for (uint64_t from = at; (from = from_.next_data(from)) < end;
         from = (from / page + 1) * page) {
      const size_t got = from_.read(from, bytes_.data(), page - from % page);
      to_.write(from, bytes_.data(), got);
      done_.bytes += got;
    }
  }

  void block(uint64_t at, uint64_t sequence, uint64_t bytes) {
    bytes_.resize(bytes);
    wire::BlockHeader now{};
    const size_t got = from_.read(at, bytes_.data(), bytes);
    // Its writer names a block before it puts anything into it (begin_block in
    // preload/ring_writer.cc): what still has its name now was whole when it was copied.
    from_.read(at, &now, sizeof now);
    if (now.magic != wire::block_magic || now.sequence != sequence) {
      now.magic = wire::block_magic;
      now.sequence = std::max(now.sequence, sequence + image_.blocks());
      return to_.write(at, &now, sizeof now);
    }
    to_.write(at, bytes_.data(), got);
    done_.bytes += got;
  }

  const Image& image_;
  const File from_;
  NewFile to_;
  Snapshot& done_;
  std::vector<uint8_t> bytes_;
};

void copy_all(const Trace& trace, const std::string& to, Snapshot& done) {
  const std::string session = std::string("/") + wire::session_name;
  const std::string metadata = std::string("/") + wire::metadata_name;
  for (const Image& image : trace.images()) {
    const std::string name = fs::path(image.ring_file).filename().string();
    Copier(image, to + "/" + name, done).copy();
  }
  // After the rings: what left one for a data file before we came is there now.
  std::error_code error;
  for (const Image& image : trace.images()) {
    if (!fs::exists(image.data_file, error)) continue;
    const uint64_t bytes = File(image.data_file).size();
    copy_sparse(image.data_file, to + "/" + fs::path(image.data_file).filename().string(), bytes);
    done.bytes += bytes;
  }
  if (fs::exists(trace.directory() + metadata, error))
    copy_sparse(trace.directory() + metadata, to + metadata,
                File(trace.directory() + metadata).size());
  copy_sparse(trace.directory() + session, to + session, wire::session_bytes);
}

}  // namespace

Snapshot snapshot(const std::string& from, const std::string& to) {
  std::error_code error;
  if (fs::exists(to, error)) throw BadTrace(to, 0, "is there already");
  const Trace trace(from);
  const std::string part = to + ".part";
  if (::mkdir(part.c_str(), 0700) != 0)
    throw BadTrace(part, 0, std::string("cannot be made: ") + std::strerror(errno));
  Snapshot done;
  try {
    copy_all(trace, part, done);
    if (::rename(part.c_str(), to.c_str()) != 0)
      throw BadTrace(to, 0, std::string("cannot be made: ") + std::strerror(errno));
  } catch (const BadTrace&) {
    fs::remove_all(part, error);
    throw;
  }
  return done;
}

}  // namespace sctrace::read
