#include "formats/rotation.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>

#include "formats/read/beginning.h"
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

// A newer part may have come meanwhile.
void raise_word(const std::string& file, uint64_t offset, uint64_t word) {
  uint64_t now = 0;
  read::File(file).read(offset, &now, sizeof now);
  if (now < word) put_word(file, offset, word);
}

// Who works on the parts of a trace: one at a time.
class Turn {
 public:
  explicit Turn(const std::string& directory)
      : fd_(::open((directory + "/" + wire::session_name).c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) throw BadTrace(directory, 0, cannot("no session"));
  }
  ~Turn() { ::close(fd_); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  int fd_;
};

// The number of the newest part that there is, 0: none.
uint64_t newest_number(const std::string& directory) {
  const fs::path whole(directory);
  const std::string prefix = whole.filename().string() + ".";
  uint64_t newest = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(whole.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    uint64_t number = 0;
    const char* end = name.data() + name.size();
    if (std::from_chars(name.data() + prefix.size(), end, number).ptr == end)
      newest = std::max(newest, number);
  }
  return newest;
}

std::string name_of(const std::string& path) { return fs::path(path).filename().string(); }

bool has_data(const read::Trace& trace) {
  std::error_code error;
  return std::any_of(trace.images().begin(), trace.images().end(), [&](const read::Image& image) {
    const uint64_t bytes = fs::file_size(image.data_file, error);
    return !error && bytes;
  });
}

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
      raise_word(image_.ring_file, at + offsetof(wire::RingHeader, rotated), end);
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
    read::copy_beginning(from, to, image_);
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

std::string Rotation::part_named(uint64_t number) const {
  return directory_ + "." + std::to_string(number);
}

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
  const auto now = std::chrono::steady_clock::now();
  if (now - made_ < late || written() - before_ < bytes_) return false;
  if (!cut()) return false;
  before_ = written();
  made_ = now;
  return true;
}

bool Rotation::is_settled() const {
  std::error_code error;
  const auto made = fs::last_write_time(part_named(newest_number(directory_)), error);
  return error || fs::file_time_type::clock::now() - made >= late;
}

bool Rotation::cut() {
  const Turn turn(directory_);
  if (!is_settled() || !has_data(read::Trace(directory_))) return false;
  rotate();
  return true;
}

void Rotation::rotate() {
  if (!parts_.empty()) settle_newest();
  std::error_code error;
  const std::string to = part_named(newest_number(directory_) + 1);
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
  const Turn turn(directory_);
  settle_newest();
}

void Rotation::settle_newest() {
  const read::Trace trace(directory_);
  std::error_code error;
  for (const read::Image& image : trace.images())
    if (fs::exists(parts_.back() + "/" + name_of(image.ring_file), error))
      Share(image, parts_.back()).settle();
}

}  // namespace sctrace
