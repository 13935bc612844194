// Output: where a format's bytes go: a file, a folder of files, stdout, or memory. A file is
// written under no name and takes its own when it is whole; a folder is written beside and renamed.
// So whoever looks sees the old output or the new one, never a half, and a failed export leaves
// nothing.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sctrace {

// Cannot be written: which file, and why.
struct OutputFailed : std::runtime_error {
  OutputFailed(const std::string& file, int error);
  OutputFailed(const std::string& file, const std::string& why);
};
// The reader of the pipe has gone away: it has what it wanted, so no error to speak of.
struct OutputClosed : std::exception {};

// What a format needs of its output.
enum class Target : uint8_t {
  stream,     // text, written once from the first byte to the last
  binary,     // the same, not for a terminal
  file,       // a regular file: it goes back and fills in
  directory,  // several files
};

class Output {
 public:
  // "-" is stdout. An existing file is replaced. An existing folder too, if it is empty or has a
  // file named `mark`, as every output of that format; else it is somebody's, and refused.
  Output(std::string path, Target target, std::string mark = {});
  explicit Output(std::string& memory);  // replaced by finish(); for all but folders
  ~Output();                             // without finish(): nothing is left behind
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  const std::string& path() const { return path_; }
  bool is_pipe() const { return kind_ == Kind::pipe; }  // or a device: nothing is beside it
  void write(std::string_view bytes);
  uint64_t position() const { return flushed_ + buffer_.size(); }  // bytes written so far
  void write_at(uint64_t offset, std::string_view bytes);  // file, part: over what is there already
  // directory: one of its files, made at the first call. There may be more than descriptors, or
  // than buffers fit in 32 MiB.
  Output& part(const std::string& name);
  // file: a path under which a library can write it itself, instead of write().
  std::string own_path();
  void finish();  // all is there: it takes its name

 private:
  enum class Kind : uint8_t { pipe, direct, nameless, beside, folder, part, memory };
  Output(Output& folder, std::string path);
  void open(Target target);
  void open_folder();
  void flush();
  void put(uint64_t offset, std::string_view bytes);
  void close();
  void make_room();
  void give_name();
  void replace_folder();
  std::string beside() const;
  [[noreturn]] void fail(int error) const;

  std::string path_, mark_, temporary_;
  Kind kind_ = Kind::direct;
  int fd_ = -1;
  bool finished_ = false;
  uint64_t flushed_ = 0;
  std::string buffer_;
  std::string* memory_ = nullptr;
  Output* folder_ = nullptr;
  std::map<std::string, std::unique_ptr<Output>> parts_;
  size_t open_parts_ = 0, buffered_ = 0;
};

}  // namespace sctrace
