// Finds what .eh_frame has on a place: by the search table of .eh_frame_hdr, an FDE and its CIE.
#pragma once
#include <cstdint>

#include "preload/load.h"

namespace sctrace::preload {

struct FrameTable {
  uint64_t index = 0, index_end = 0;    // .eh_frame_hdr
  uint64_t frames = 0, frames_end = 0;  // what holds .eh_frame: nothing is read elsewhere
};

// DWARF's numbers of registers.
inline constexpr uint64_t reg_rdi = 5, reg_rbp = 6, reg_rsp = 7, reg_back = 16;

// Reads forward within bounds and remembers having failed.
struct Cursor {
  uint64_t at, limit;
  bool failed = false;

  template <typename T>
  [[gnu::always_inline]] T take() {
    T value{};
    if (failed || at > limit || limit - at < sizeof(T) || !try_load(at, value))
      return failed = true, T{};
    at += sizeof(T);
    return value;
  }
  uint64_t uleb();
  int64_t sleb();
  uint64_t plain(uint8_t encoding);
  void skip(uint64_t n) {
    if (n > limit - at)
      failed = true;
    else
      at += n;
  }
};

struct Entry {
  uint64_t begin = 0;  // of the function
  uint64_t code_step = 0;
  int64_t data_step = 0;
  bool of_handler = false, has_data = false;
  uint8_t encoding = 0;
  Cursor common{0, 0}, own{0, 0};  // the two programs
};

// False: there is none for `pc`, or none that makes sense.
bool find_frame_entry(const FrameTable& table, uint64_t pc, Entry& entry);

}  // namespace sctrace::preload
