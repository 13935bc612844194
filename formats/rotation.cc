#include "formats/rotation.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "formats/read/check_file.h"
#include "formats/read/live.h"
#include "formats/read/ring_reader_index.h"
#include "formats/read/trace.h"
#include "formats/wire/metadata.h"

namespace sctrace {

namespace fs = std::filesystem;
using read::BadTrace;

namespace {

std::string cannot(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

// Eight bytes in a file that others have mapped.
void put_word(const std::string& file, uint64_t offset, uint64_t word) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  const bool done =
      fd >= 0 && ::pwrite(fd, &word, sizeof word, static_cast<off_t>(offset)) == sizeof word;
  if (fd >= 0) ::close(fd);
  if (!done) throw BadTrace(file, offset, cannot("cannot be written"));
}

std::string name_of(const std::string& path) { return fs::path(path).filename().string(); }

// One image's share of a part: its header, and rings that end where its data file ends.
class Share {
 public:
  Share(const read::Image& image, const std::string& part)
      : image_(image),
        ring_file_(part + "/" + name_of(image.ring_file)),
        data_file_(part + "/" + name_of(image.data_file)) {}

  void move() {
    if (::rename(image_.data_file.c_str(), data_file_.c_str()) != 0 && errno != ENOENT)
      throw BadTrace(image_.data_file, 0, cannot("cannot be moved"));
    copy_headers();
    settle();
  }

  // As far as the moved file goes, the rings of the part reach, and ours begin.
  void settle() {
    std::error_code error;
    if (!fs::exists(data_file_, error)) return;
    read::Damages ignored;  // they will be found by whoever reads it
    read::DataIndex index;
    index.scan(read::File(data_file_), image_.block_bytes, count(), ignored);
    for (uint32_t n = 0; n < count(); ++n) {
      const uint64_t at = image_.slot_offset(n), end = index.end(n) * image_.block_bytes;
      if (!end) continue;
      put_word(ring_file_, at + offsetof(wire::RingHeader, head), end);
      put_word(ring_file_, at + offsetof(wire::RingHeader, drained), end);
      put_word(image_.ring_file, at + offsetof(wire::RingHeader, rotated), end);
    }
  }

 private:
  uint32_t count() const { return static_cast<uint32_t>(image_.slots.size()); }

  void copy_headers() {
    const read::File from(image_.ring_file);
    read::NewFile to(ring_file_);
    to.resize(image_.slot_offset(count()));
    const auto header = read::header_of(image_.ring_file);
    header->last[0] = read::clocks_now();
    header->last_turn = 0;
    header->slots_used = count();
    to.write(0, header.get(), sizeof *header);
    for (uint32_t n = 0; n < count(); ++n) {
      wire::RingHeader ring{};
      from.read(image_.slot_offset(n), static_cast<void*>(&ring), sizeof ring);
      ring.state = wire::RingState::done;
      ring.head = ring.drained = ring.rotated.load();
      ring.settled = 0;
      to.write(image_.slot_offset(n), &ring, sizeof ring);
    }
  }

  const read::Image& image_;
  std::string ring_file_, data_file_;
};

}  // namespace

// Of all files so far.
uint64_t Rotation::written() const {
  const read::File session(directory_ + "/" + wire::session_name);
  uint64_t bytes = 0;
  session.read(offsetof(wire::Session, bytes), &bytes, sizeof bytes);
  return bytes;
}

bool Rotation::look() {
  std::error_code error;
  if (!fs::exists(directory_ + "/" + wire::session_name, error)) return false;
  constexpr std::chrono::seconds least{1};
  const auto now = std::chrono::steady_clock::now();
  if (now - made_ < least || written() - before_ < bytes_) return false;
  rotate();
  before_ = written();
  made_ = now;
  return true;
}

void Rotation::rotate() {
  if (!parts_.empty()) settle();
  std::string to;
  std::error_code error;
  do to = directory_ + "." + std::to_string(++number_);
  while (fs::exists(to, error));
  const std::string part = to + ".part";
  if (::mkdir(part.c_str(), 0700) != 0) throw BadTrace(part, 0, cannot("cannot be made"));
  const read::Trace trace(directory_);
  for (const char* name : {wire::session_name, wire::metadata_name}) {
    const std::string file = directory_ + "/" + name;
    if (fs::exists(file, error))
      read::copy_sparse(file, part + "/" + name, read::File(file).size());
  }
  for (const read::Image& image : trace.images()) Share(image, part).move();
  if (::rename(part.c_str(), to.c_str()) != 0) throw BadTrace(to, 0, cannot("cannot be made"));
  parts_.push_back(to);
  if (!keep_ || parts_.size() <= keep_) return;
  fs::remove_all(parts_.front(), error);
  parts_.pop_front();
}

void Rotation::settle() {
  if (parts_.empty()) return;
  const read::Trace trace(directory_);
  std::error_code error;
  for (const read::Image& image : trace.images())
    if (fs::exists(parts_.back() + "/" + name_of(image.ring_file), error))
      Share(image, parts_.back()).settle();
}

}  // namespace sctrace
