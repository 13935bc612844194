// A file of a trace, read by position. Not mapped: a file that shrinks under a reader must end in a
// short read, not in SIGBUS.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace sctrace::read {

class File {
 public:
  explicit File(std::string path);  // throws BadTrace: not there, not readable, not a regular file
  File(File&& from) noexcept;
  File& operator=(File&&) = delete;
  ~File();

  const std::string& path() const { return path_; }
  bool is_named(const std::string& path) const;  // this very file, by now
  uint64_t size() const;                         // now: it may be growing
  // Fills `to` as far as the file reaches; returns the bytes got. Throws BadTrace on an input
  // error.
  size_t read(uint64_t offset, void* to, size_t bytes) const;
  // First offset from here on that is not in a hole; size() if there is none.
  uint64_t next_data(uint64_t offset) const;

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace sctrace::read
