#include "formats/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace sctrace {

namespace fs = std::filesystem;

namespace {
constexpr size_t chunk = 1 << 18;       // bytes a write
constexpr size_t part_chunk = 1 << 16;  // of a part; there may be many
constexpr size_t most_buffered = 32 << 20, most_open = 200;

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}
}  // namespace

OutputFailed::OutputFailed(const std::string& file, int error)
    : OutputFailed(file, std::string("cannot be written: ") + std::strerror(error)) {}

OutputFailed::OutputFailed(const std::string& file, const std::string& why)
    : std::runtime_error(file + ": " + why) {}

void Output::fail(int error) const {
  if (error == EPIPE) throw OutputClosed();
  throw OutputFailed(path_ == "-" ? "stdout" : path_, error);
}

Output::Output(std::string path, Target target, std::string mark)
    : path_(std::move(path)), mark_(std::move(mark)) {
  while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  if (path_ != "-") {
    std::error_code error;  // a link goes on pointing at what is replaced
    if (const fs::path real = fs::canonical(path_, error); !error) path_ = real.string();
  }
  try {
    target == Target::directory ? open_folder() : open(target);
  } catch (...) {
    close();
    throw;
  }
}

Output::Output(std::string& memory) : kind_(Kind::memory), memory_(&memory) { memory.clear(); }

Output::Output(Output& folder, std::string path)
    : path_(std::move(path)), kind_(Kind::part), folder_(&folder) {}

Output::~Output() {
  close();
  std::error_code ignored;
  if (!finished_ && !temporary_.empty()) fs::remove_all(temporary_, ignored);
}

std::string Output::beside() const {
  const fs::path path(path_);
  return folder_of(path_) + "/." + path.filename().string() + fmt::format(".{}~", getpid());
}

void Output::open(Target target) {
  struct stat there {};
  const bool exists = path_ == "-" || stat(path_.c_str(), &there) == 0;
  if (exists && S_ISDIR(there.st_mode)) fail(EISDIR);
  if (exists && (path_ == "-" || !S_ISREG(there.st_mode))) {
    fd_ = path_ == "-" ? dup(STDOUT_FILENO) : ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) fail(errno);
    const bool seekable = lseek(fd_, 0, SEEK_CUR) >= 0;
    if (target == Target::file && !seekable)
      throw OutputFailed(path_, "is no file, and this format goes back in it to fill in");
    kind_ = target == Target::file ? Kind::direct : Kind::pipe;
    return;
  }
  if (exists && access(path_.c_str(), W_OK) != 0) fail(errno);
  fd_ = ::open(folder_of(path_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
  kind_ = Kind::nameless;
  if (fd_ >= 0) return;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) fail(errno);
  temporary_ = beside();
  kind_ = Kind::beside;
  fd_ = ::open(temporary_.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0666);
  if (fd_ < 0) fail(errno);
}

void Output::open_folder() {
  kind_ = Kind::folder;
  std::error_code error;
  if (fs::exists(path_, error)) {
    if (!fs::is_directory(path_, error)) fail(ENOTDIR);
    if (!fs::is_empty(path_, error) && !fs::exists(path_ + "/" + mark_, error))
      throw OutputFailed(path_, "holds something else, so it is left alone");
  }
  const std::string place = beside();
  if (mkdir(place.c_str(), 0777) != 0) fail(errno);
  temporary_ = place;
}

Output& Output::part(const std::string& name) {
  auto& part = parts_[name];
  if (!part) part.reset(new Output(*this, temporary_ + "/" + name));
  return *part;
}

void Output::write(std::string_view bytes) {
  buffer_.append(bytes);
  if (folder_) folder_->buffered_ += bytes.size();
  if (buffer_.size() >= (folder_ ? part_chunk : chunk)) flush();
  if (folder_) folder_->make_room();
}

void Output::flush() {
  if (buffer_.empty()) return;
  put(flushed_, buffer_);
  flushed_ += buffer_.size();
  if (folder_) folder_->buffered_ -= buffer_.size();
  buffer_.clear();
  constexpr size_t few = 64;  // then they may keep what they have
  if (folder_ && folder_->parts_.size() > few) buffer_.shrink_to_fit();
}

// Of a folder: neither its buffers nor its descriptors grow with the number of its files.
void Output::make_room() {
  if (buffered_ > most_buffered)
    for (auto& [name, part] : parts_) part->flush();
  if (open_parts_ > most_open)
    for (auto& [name, part] : parts_) part->close();
}

void Output::put(uint64_t offset, std::string_view bytes) {
  if (memory_) {
    memory_->resize(std::max(memory_->size(), offset + bytes.size()));
    memory_->replace(offset, bytes.size(), bytes);
    return;
  }
  if (fd_ < 0) {  // a part at rest
    fd_ = ::open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (fd_ < 0) fail(errno);
    ++folder_->open_parts_;
  }
  while (!bytes.empty()) {
    const ssize_t n = kind_ == Kind::pipe
                          ? ::write(fd_, bytes.data(), bytes.size())
                          : pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno);
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
}

void Output::write_at(uint64_t offset, std::string_view bytes) {
  if (offset >= flushed_ && offset + bytes.size() <= position()) {
    buffer_.replace(offset - flushed_, bytes.size(), bytes);
    return;
  }
  if (offset + bytes.size() > flushed_) flush();
  put(offset, bytes);
}

void Output::close() {
  if (fd_ < 0) return;
  ::close(fd_);
  fd_ = -1;
  if (folder_) --folder_->open_parts_;
}

void Output::give_name() {
  temporary_ = beside();
  unlink(temporary_.c_str());  // of one that was killed, under our pid
  const std::string self = fmt::format("/proc/self/fd/{}", fd_);
  if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    kind_ = Kind::beside;
    return;
  }
  const int error = errno;
  temporary_.clear();
  fail(error);
}

std::string Output::own_path() {
  flush();
  if (kind_ == Kind::nameless) give_name();
  return temporary_.empty() ? path_ : temporary_;
}

void Output::replace_folder() {
  std::error_code error;
  if (!fs::exists(path_, error)) {
    if (rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
    return;
  }
  if (renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0)
    fail(errno);
  fs::remove_all(temporary_, error);
}

void Output::finish() {
  flush();
  for (auto& [name, part] : parts_) {
    part->flush();
    part->close();
    part->finished_ = true;
  }
  if (kind_ == Kind::folder) replace_folder();
  if (kind_ == Kind::nameless) give_name();
  if (kind_ == Kind::beside) {
    if (fd_ >= 0 && ::close(std::exchange(fd_, -1)) != 0) fail(errno);  // quotas speak up here
    if (rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  }
  finished_ = true;
}

}  // namespace sctrace
