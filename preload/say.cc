#include "preload/say.h"

#include <asm/unistd.h>
#include <cerrno>

#include "arch/x86_64/frame.h"

namespace sctrace::preload {
namespace {
Level loudest = Level::warn;
int where = 2;
}  // namespace

void say_set(Level level, int fd) { loudest = level, where = fd; }

Line& Line::text(const char* s, uint64_t n) {
  while (n-- && used_ < sizeof bytes_ - 2) bytes_[used_++] = *s++;
  return *this;
}

Line& Line::text(const char* s) {
  while (*s && used_ < sizeof bytes_ - 2) bytes_[used_++] = *s++;
  return *this;
}

Line& Line::number(int64_t value) {
  char digits[24];
  uint64_t n = 0,
           rest = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  do digits[n++] = static_cast<char>('0' + rest % 10);
  while (rest /= 10);
  if (value < 0) digits[n++] = '-';
  while (n) text(&digits[--n], 1);
  return *this;
}

Line& Line::hex(uint64_t value) {
  int shift = 60;
  while (shift && !(value >> shift)) shift -= 4;
  for (; shift >= 0; shift -= 4) text(&"0123456789abcdef"[value >> shift & 15], 1);
  return *this;
}

const char* Line::c_str() {
  bytes_[used_] = 0;
  return bytes_;
}

void say(Level level, Line& line) {
  if (level > loudest) return;
  Line whole;
  whole.text("sctrace: ").text(line.c_str()).text("\n");
  arch::raw_syscall(__NR_write, where, whole.c_str(), whole.size());
}

void say(Level level, const char* a, const char* b, const char* c, const char* d, const char* e) {
  Line line;
  line.text(a).text(b).text(c).text(d).text(e);
  say(level, line);
}

const char* error_name(long result) {
  switch (-result) {
    case EPERM: return "Operation not permitted";
    case ENOENT: return "No such file or directory";
    case EACCES: return "Permission denied";
    case EEXIST: return "File exists";
    case ENOTDIR: return "Not a directory";
    case EINVAL: return "Invalid argument";
    case EMFILE: return "Too many open files";
    case ENFILE: return "Too many open files in system";
    case EFBIG: return "File too large";
    case ENOSPC: return "No space left on device";
    case EROFS: return "Read-only file system";
    case ENOMEM: return "Cannot allocate memory";
    case EFAULT: return "Bad address";
    case EDQUOT: return "Disk quota exceeded";
    case ELOOP: return "Too many levels of symbolic links";
    case ENAMETOOLONG: return "File name too long";
    case ENOSYS: return "Function not implemented";
    default: return "refused by the kernel";
  }
}

}  // namespace sctrace::preload
