#include "formats/read/trace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "formats/read/trace.h"

namespace sctrace::read {

File::File(std::string path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(),
               O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // nonblock: a fifo must not stop us
  if (fd_ < 0) throw BadTrace(path_, 0, std::strerror(errno));
  struct stat status {};
  if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd_);
    throw BadTrace(path_, 0, "not a regular file");
  }
}

File::File(File&& from) noexcept : path_(std::move(from.path_)), fd_(std::exchange(from.fd_, -1)) {}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

bool File::is_named(const std::string& path) const {
  struct stat mine {
  }, named{};
  return ::fstat(fd_, &mine) == 0 && ::stat(path.c_str(), &named) == 0 &&
         mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

uint64_t File::size() const {
  struct stat status {};
  return ::fstat(fd_, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

size_t File::read(uint64_t offset, void* to, size_t bytes) const {
  size_t got = 0;
  if (offset > INT64_MAX - bytes) return 0;
  while (got < bytes) {
    const ssize_t n =
        ::pread(fd_, static_cast<char*>(to) + got, bytes - got, static_cast<off_t>(offset + got));
    if (n > 0)
      got += static_cast<size_t>(n);
    else if (n == 0)
      break;
    else if (errno != EINTR)
      throw BadTrace(path_, offset + got, std::strerror(errno));
  }
  return got;
}

uint64_t File::next_data(uint64_t offset) const {
  const off_t at = ::lseek(fd_, static_cast<off_t>(offset), SEEK_DATA);
  if (at >= 0) return static_cast<uint64_t>(at);
  return errno == ENXIO ? size() : offset;  // a file system without holes has data everywhere
}

}  // namespace sctrace::read
