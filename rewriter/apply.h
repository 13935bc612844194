// The ONLY writer of somebody's code: puts the jump of a stub over its window, and the original
// bytes back. For the constructor, where one thread exists, or for bytes that no other thread runs.
// Writing under running threads (int3 and membarrier) is not done yet; a window inside one aligned
// word is one 8-byte write already.
#pragma once
#include "rewriter/stub.h"

namespace sctrace::rewriter {

// Opens /proc/self/mem once for many writes and closes it at the end. If the kernel refuses it,
// pages are made writable (and not executable) for the moment of the write: our code calls nothing
// of libc meanwhile.
class Writer {
 public:
  Writer();
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Replaces `size` bytes, which must be `expected` before and are `bytes` afterwards, or says why
  // not.
  [[nodiscard]] Refusal write(uint64_t address, const uint8_t* expected, const uint8_t* bytes,
                              unsigned size, int protection);
  // Does without /proc/self/mem, as where /proc is not mounted.
  void avoid_proc();

  // Makes the text writable, and not executable, until close_text(). Only for a process with one
  // thread, whose signals do not matter yet: the first write to a page costs 31 us through
  // /proc/self/mem and 3 us this way, which is 4 ms of libc. Refused where close_text() would be:
  // SELinux may forbid to execute changed pages.
  [[nodiscard]] bool try_open_text(uint64_t begin, uint64_t end, int protection);
  void close_text();

 private:
  bool try_by_proc(uint64_t address, const uint8_t* bytes, unsigned size) const;
  bool try_by_mprotect(uint64_t address, const uint8_t* bytes, unsigned size, int protection) const;

  int descriptor_;
  uint64_t open_begin_ = 0, open_end_ = 0;
  int open_protection_ = 0;
};

// What a patch writes, in this order: a jump over the window, and for pad then the short one over
// the site.
struct Change {
  uint64_t address = 0;
  unsigned size = 0;  // 0: out of reach
  const uint8_t* original = nullptr;
  uint8_t bytes[window_max] = {};
};
Change jump_over_window(const Stub& stub);
Change short_jump_over_site(const Stub& stub);

// Both check that memory holds exactly what they are about to replace; `protection` is that of the
// text. A refused patch leaves all bytes as they were.
[[nodiscard]] Refusal patch(Stub& stub, Writer& writer, int protection = 5);
[[nodiscard]] Refusal unpatch(Stub& stub, Writer& writer, int protection = 5);

}  // namespace sctrace::rewriter
