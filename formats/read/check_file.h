// A file that `check --repair` writes: sparse, and on disk for good before it takes the place of
// another.
#pragma once
#include <cstdint>
#include <string>

namespace sctrace::read {

class NewFile {
 public:
  explicit NewFile(std::string path);  // throws BadTrace, as do the others: the disk may be full
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();
  void write(uint64_t offset, const void* bytes, uint64_t count);
  void resize(uint64_t bytes);
  void finish();

 private:
  [[noreturn]] void fail() const;
  std::string path_;
  int fd_;
};

// A copy of so many bytes of a file; holes stay holes: ring files are mostly that, and name
// gigabytes.
void copy_sparse(const std::string& from, const std::string& to, uint64_t bytes);

// Makes `one` and `other` change names, in one step where the file system can.
void swap_names(const std::string& one, const std::string& other);

}  // namespace sctrace::read
