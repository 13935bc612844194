#include "formats/read/check_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "formats/read/trace.h"
#include "formats/read/trace_file.h"

namespace sctrace::read {

NewFile::NewFile(std::string path)
    : path_(std::move(path)),
      fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
  if (fd_ < 0) fail();
}

NewFile::~NewFile() {
  if (fd_ >= 0) ::close(fd_);
}

void NewFile::fail() const {
  throw BadTrace(path_, 0, std::string("cannot be written: ") + std::strerror(errno));
}

void NewFile::write(uint64_t offset, const void* bytes, uint64_t count) {
  while (count) {
    const ssize_t done = ::pwrite(fd_, bytes, count, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail();
    bytes = static_cast<const char*>(bytes) + done;
    offset += static_cast<uint64_t>(done), count -= static_cast<uint64_t>(done);
  }
}

void NewFile::resize(uint64_t bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) fail();
}

void NewFile::finish() {
  if (::fsync(fd_) != 0) fail();
}

void copy_sparse(const std::string& from, const std::string& to, uint64_t bytes) {
  const File source(from);
  NewFile copy(to);
  copy.resize(bytes);
  std::vector<uint8_t> chunk(65536);
  const uint64_t end = std::min(bytes, source.size());
  for (uint64_t at = source.next_data(0); at < end;) {
    const size_t got = source.read(at, chunk.data(), std::min<uint64_t>(chunk.size(), end - at));
    if (got == 0) break;
    copy.write(at, chunk.data(), got);
    at = source.next_data(at + got);
  }
}

void swap_names(const std::string& one, const std::string& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0) return;
  const std::string aside =
      other + ".torn";  // a file system that cannot: two steps, nothing is lost between
  if (::rename(other.c_str(), aside.c_str()) != 0 || ::rename(one.c_str(), other.c_str()) != 0 ||
      ::rename(aside.c_str(), one.c_str()) != 0)
    throw BadTrace(other, 0, std::string("cannot be replaced: ") + std::strerror(errno));
}

}  // namespace sctrace::read
