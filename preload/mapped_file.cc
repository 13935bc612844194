#include "preload/mapped_file.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "arch/x86_64/frame.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

constexpr long not_yet = -4096;  // no error of the kernel's
long descriptor = not_yet;       // of /proc/self/maps
std::span<const char> lines;     // all of it, where the kernel can't be asked about one address

// As Linux 6.11 has it; headers may be older.
struct Query {
  uint64_t size, flags, address;
  uint64_t begin, end, mapping_flags, page_size, offset, inode;
  uint32_t major, minor, name_bytes, build_id_bytes;
  uint64_t name, build_id;
};
constexpr unsigned long procmap_query = _IOWR('f', 17, Query);

uint64_t device_of(uint64_t major, uint64_t minor) { return major << 32 | minor; }

// 4 us; the whole text of a small program's maps is 56.
bool try_query(uint64_t address, MappedFile& found) {
  Query query{};
  query.size = sizeof query;
  query.address = address;
  if (raw_syscall(__NR_ioctl, descriptor, procmap_query, &query) < 0) return false;
  found = {device_of(query.major, query.minor), query.inode};
  return true;
}

void read_lines(rewriter::Region& memory) {
  const auto room = memory.rest<char>();
  uint64_t used = 0;
  for (;;) {
    const long got = raw_syscall(__NR_read, descriptor, room.data() + used, room.size() / 4 - used);
    if (got <= 0) break;
    used += static_cast<uint64_t>(got);
  }
  memory.keep<char>(used);
  lines = room.first(used);
}

class Reader {
 public:
  explicit Reader(std::span<const char> text) : text_(text) {}

  bool is_over() const { return at_ >= text_.size(); }
  // A number, and the one character behind it.
  uint64_t number(unsigned base) {
    uint64_t value = 0;
    for (; !is_over(); ++at_) {
      const char c = text_[at_];
      const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                             : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                                                    : base;
      if (digit >= base) break;
      value = value * base + digit;
    }
    ++at_;
    return value;
  }
  void skip_word() {
    while (!is_over() && text_[at_++] != ' ') {
    }
  }
  void skip_line() {
    while (!is_over() && text_[at_++] != '\n') {
    }
  }

 private:
  std::span<const char> text_;
  size_t at_ = 0;
};

// begin-end rights offset major:minor inode path
bool try_lines(uint64_t address, MappedFile& found) {
  for (Reader in(lines); !in.is_over(); in.skip_line()) {
    const uint64_t begin = in.number(16), end = in.number(16);
    if (address < begin || address >= end) continue;
    in.skip_word();
    in.number(16);
    const uint64_t major = in.number(16), minor = in.number(16);
    found = {device_of(major, minor), in.number(10)};
    return true;
  }
  return false;
}

}  // namespace

bool find_mapped_file(uint64_t address, rewriter::Region& memory, MappedFile& found) {
  if (descriptor == not_yet)
    descriptor = raw_syscall(__NR_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  if (lines.empty() && try_query(address, found)) return found.inode;
  if (lines.empty()) read_lines(memory);
  return try_lines(address, found) && found.inode;
}

void close_mapped_files() {
  if (descriptor >= 0) raw_syscall(__NR_close, descriptor);
  descriptor = not_yet;
  lines = {};
}

}  // namespace sctrace::preload
