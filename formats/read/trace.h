// A trace directory, opened and distrusted: the session, and of each image file what a reader needs
// to walk its rings. Everything here is a snapshot taken once, so a trace may still be growing.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>
#include "formats/read/clock.h"
#include "formats/wire/ring.h"
#include "formats/wire/session.h"

namespace sctrace::read {

struct Table;

// The one exception of the reader: this file, at this offset, cannot be what it claims to be.
struct BadTrace : std::runtime_error {
  BadTrace(std::string in, uint64_t at, std::string because);
  std::string file;
  uint64_t offset;
  std::string why;
};

// A place that makes no sense in a trace that can be read otherwise.
struct Damage {
  std::string file;
  uint64_t offset = 0;
  std::string why;
};

// Where damage is told. Keeps the first thousand and counts them all.
struct Damages {
  std::vector<Damage> kept;
  uint64_t count = 0;
  void add(const std::string& file, uint64_t offset, std::string why);
};

// One ring as it was when the trace was opened. [drained, head) lies within the ring, whatever the
// file says.
struct Slot {
  wire::RingState state = wire::RingState::free;
  uint32_t pid = 0, tid = 0;
  uint64_t head = 0, drained = 0;
  uint64_t rotated = 0;  // blocks before it are in another trace
  uint64_t spent = 0;    // ns of processor time of the process that ended here; 0: unknown
  uint64_t settled = 0;  // behind it a live writer may still take back; 0: nowhere
  uint64_t calls_stub = 0, calls_trap = 0, untraced = 0, filtered = 0, lost = 0, cut = 0,
           inexact = 0, signals = 0;
};

struct Image {
  std::string ring_file, data_file;  // paths; the data file need not exist
  uint32_t pid = 0, ppid = 0;
  wire::Mode mode = wire::Mode::stream;
  uint32_t slots_most = 0;  // rings that it may have in all
  uint64_t header_bytes = 0, slot_bytes = 0, ring_bytes = 0, block_bytes = 0;
  wire::Anchor first{}, last{};  // last.tsc 0: never taken
  uint32_t sud = 0, site_count = 0;
  uint64_t sites_refused = 0;
  std::string program, command;        // command: argv joined by blanks
  std::string executed;                // what was given to execve; empty: not told
  uint64_t environment = 0, variables = 0;  // where it lay, and of how many; 0: not told
  std::vector<std::string> arguments;  // the same, apart
  std::vector<Slot> slots;             // the used ones

  uint64_t slot_offset(uint32_t slot) const { return header_bytes + slot * slot_bytes; }
  uint64_t blocks() const { return ring_bytes / block_bytes; }
  bool is_live() const;  // a thread was writing when we looked, or was killed while it did
};

// The whole header of an image file, with sites and objects: 64 KiB, so nobody keeps it. Throws
// BadTrace.
std::unique_ptr<wire::Image> header_of(const std::string& ring_file);

// How long an image file with this header must be.
uint64_t bytes_of(const wire::Image& header);

// How far its rings have come by now, and which are new.
void look_again(Image& image, Damages& damages);

// Reads one image file; throws BadTrace. Rings that lie about themselves are clipped and reported.
Image open_image(const std::string& ring_file, Damages& damages);

// The table of the newest one opened is that which everything is decoded by (table.h).
class Trace {
 public:
  // Throws BadTrace. With `refused`, an image that cannot be read goes there and the others are
  // read.
  explicit Trace(const std::string& directory, std::vector<BadTrace>* refused = nullptr);

  const std::string& directory() const { return directory_; }
  const std::deque<Image>& images() const { return images_; }  // by the time they began
  const std::vector<std::string>& unborn() const {
    return unborn_;
  }  // files whose writer died making them
  const Damages& damages() const { return damages_; }
  const Clock& clock() const { return clock_; }
  uint32_t version() const { return version_; }
  // What it says of its own calls, words and structs; nothing if it says nothing, or nothing that
  // makes sense (which is in damages()).
  const std::shared_ptr<const Table>& table() const { return table_; }
  uint64_t max_bytes() const { return max_bytes_; }

  // Looks again at a trace that is being written: new images behind the old ones, new rings, how
  // far each has come. `now` is a reading of the clocks on the machine that writes it, if any.
  void grow(const wire::Anchor& now);

  bool stopped() const { return stopped_; }  // max_bytes reached
  const std::string& host() const { return host_; }
  const std::string& kernel() const { return kernel_; }

 private:
  void read_session();
  void read_metadata();
  void read_images(std::vector<BadTrace>* refused);
  std::vector<std::string> ring_files() const;
  void settle_clock(const wire::Anchor& now);

  std::string directory_, host_, kernel_;
  uint32_t version_ = 0;
  uint64_t max_bytes_ = 0;
  bool stopped_ = false;
  std::deque<Image> images_;  // they stay where they are when the trace grows
  std::vector<std::string> unborn_;
  Damages damages_;
  Clock clock_;
  std::shared_ptr<const Table> table_;
};

}  // namespace sctrace::read
