// The ONLY writer of somebody's code: puts the jump of a stub over its window, and the original
// bytes back. Where other threads may run the text, a change takes three steps, after each of which
// all processors have forgotten what they fetched before (membarrier):
//
//   b8 27 00 00 00  →  f4 27 00 00 00  →  f4 xx xx xx xx  →  e9 xx xx xx xx
//   mov $39,%eax       hlt in front       the rest           the first byte
//
// A thread that comes by meanwhile faults on the hlt and is led into the stub (rewrite.h,
// instead_of), which does what both the old and the new bytes do. hlt rather than int3: the fault
// is a SIGSEGV, which is ours already, and a debugger's SIGTRAP stays its own.
#pragma once
#include "rewriter/stub.h"

namespace sctrace::rewriter {

// Who may be running the text while it is written.
enum class Running : uint8_t {
  nobody,   // one thread exists, or nobody was given the text yet
  anybody,  // it is written through /proc/self/mem alone: no moment without PROT_EXEC
};

// Opens /proc/self/mem at the first write that needs it and closes it at the end. If the kernel
// refuses it, pages are made writable (and not executable) for the moment of the write: our code
// calls nothing of libc meanwhile.
class Writer {
 public:
  explicit Writer(Running running = Running::nobody);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Replaces `size` bytes, which must be `expected` before and are `bytes` afterwards, or says why
  // not.
  [[nodiscard]] Refusal write(uint64_t address, const uint8_t* expected, const uint8_t* bytes,
                              unsigned size, int protection);
  // Does without /proc/self/mem, as where /proc is not mounted.
  void avoid_proc();

  // Makes a text writable, and not executable, until close_texts(), which closes all. Only for a
  // process with one thread, whose signals do not matter yet: the first write to a page costs 31 us
  // through /proc/self/mem and 3 us this way, which is 4 ms of libc. True at once where it is open.
  // Refused where closing would be: SELinux may forbid to execute changed pages.
  [[nodiscard]] bool try_open_text(uint64_t begin, uint64_t end, int protection);
  void close_texts();

  // A thread blocked in the kernel or preempted between two instructions of a window would go on in
  // the middle of the jump: under running threads such windows are refused.
  bool may_enclose(bool several_instructions) const {
    return running_ == Running::nobody || !several_instructions;
  }

 private:
  bool try_live(uint64_t address, const uint8_t* bytes, unsigned size);
  bool try_by_proc(uint64_t address, const uint8_t* bytes, unsigned size);
  bool has_descriptor();
  bool try_by_mprotect(uint64_t address, const uint8_t* bytes, unsigned size, int protection);
  bool is_open(uint64_t begin, uint64_t end) const;
  bool may_change_text();

  struct Text {
    uint64_t begin, end;
    int protection;
  };
  static constexpr unsigned open_most = 8;  // at once: each is closed by two calls of the kernel

  static constexpr int not_asked = -2, refused = -1;

  Running running_;
  int descriptor_ = not_asked;            // of /proc/self/mem, which costs a start 8 us
  bool asked_ = false, allowed_ = false;  // may_change_text
  Text open_[open_most] = {};
  unsigned open_count_ = 0;
};

// What a patch writes, in this order: a jump over the window, and for pad then the short one over
// the site.
struct Change {
  uint64_t address = 0;
  unsigned size = 0;  // 0: out of reach
  const uint8_t* original = nullptr;
  uint8_t bytes[window_max] = {};
};
// May a thread stand inside the window, neither at its beginning nor behind it?
bool has_inner_places(const Stub& stub);
Change jump_over_window(const Stub& stub);
Change short_jump_over_site(const Stub& stub);

// Both check that memory holds exactly what they are about to replace; `protection` is that of the
// text. A refused patch leaves all bytes as they were.
[[nodiscard]] Refusal patch(Stub& stub, Writer& writer, int protection = 5);
[[nodiscard]] Refusal unpatch(Stub& stub, Writer& writer, int protection = 5);
// The first half of that for `pad`: nobody comes into the padding any more. Of others nothing.
[[nodiscard]] Refusal close_site(Stub& stub, Writer& writer, int protection = 5);

}  // namespace sctrace::rewriter
