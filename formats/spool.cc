#include "formats/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace sctrace {

namespace {
constexpr size_t piece = 1 << 16, most_buffered = 32 << 20;
}

Spool::Spool(const Output& beside) {
  std::error_code error;
  if (beside.is_pipe())
    place_ = std::filesystem::temp_directory_path(error).string();
  else
    place_ = std::filesystem::path(beside.path()).parent_path().string();
  if (place_.empty()) place_ = ".";
}

Spool::~Spool() {
  if (fd_ >= 0) ::close(fd_);
}

size_t Spool::strand() {
  strands_.emplace_back();
  return strands_.size() - 1;
}

void Spool::append(size_t number, std::string_view bytes) {
  Strand& strand = strands_[number];
  strand.newest.append(bytes);
  strand.bytes += bytes.size();
  buffered_ += bytes.size();
  if (strand.newest.size() >= piece) flush(strand);
  if (buffered_ > most_buffered)
    for (Strand& one : strands_) flush(one);
}

void Spool::flush(Strand& strand) {
  if (strand.newest.empty()) return;
  if (fd_ < 0) {
    fd_ = open(place_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd_ < 0) {  // not every file system can
      std::string name = place_ + "/.sctrace-XXXXXX";
      fd_ = mkostemp(name.data(), O_CLOEXEC);
      if (fd_ < 0) throw OutputFailed(place_, errno);
      unlink(name.c_str());
    }
  }
  std::string_view rest = strand.newest;
  if (!strand.pieces.empty() && strand.pieces.back().at + strand.pieces.back().bytes == end_)
    strand.pieces.back().bytes += rest.size();
  else
    strand.pieces.push_back({end_, rest.size()});
  while (!rest.empty()) {
    const ssize_t n = pwrite(fd_, rest.data(), rest.size(), static_cast<off_t>(end_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw OutputFailed(place_, errno);
    rest.remove_prefix(static_cast<size_t>(n));
    end_ += static_cast<uint64_t>(n);
  }
  buffered_ -= strand.newest.size();
  strand.newest.clear();
  strand.newest.shrink_to_fit();
}

void Spool::copy(size_t number, Output& to) {
  const Strand& strand = strands_[number];
  std::string bytes;
  for (Piece rest : strand.pieces)
    while (rest.bytes) {
      bytes.resize(std::min<uint64_t>(rest.bytes, 1 << 20));
      const ssize_t n = pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(rest.at));
      if (n <= 0) throw OutputFailed(place_, n < 0 ? errno : EIO);
      to.write(std::string_view(bytes).substr(0, static_cast<size_t>(n)));
      rest.at += static_cast<uint64_t>(n), rest.bytes -= static_cast<uint64_t>(n);
    }
  to.write(strand.newest);
}

}  // namespace sctrace
