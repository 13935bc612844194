// What the rewriter is told of one mapped object. Bytes come in by spans and addresses are numbers,
// so that everything up to apply.cc works as well on byte arrays at pretended addresses. All spans
// must be readable.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace sctrace::rewriter {

// Of the few bytes of a window: memcmp is a call, and libc's at that in tests.
inline bool is_same(const uint8_t* a, const uint8_t* b, size_t size) {
  size_t i = 0;
  for (uint32_t x, y; i + sizeof x <= size; i += sizeof x) {
    std::memcpy(&x, a + i, sizeof x);
    std::memcpy(&y, b + i, sizeof y);
    if (x != y) return false;
  }
  for (; i < size; ++i)
    if (a[i] != b[i]) return false;
  return true;
}

// Bytes that belong at an address. Reading outside gives nothing.
struct Bytes {
  std::span<const uint8_t> bytes;
  uint64_t address = 0;

  uint64_t end() const { return address + bytes.size(); }
  bool holds(uint64_t at, uint64_t size) const {
    const uint64_t offset = at - address;  // wraps to something huge when below
    return offset <= bytes.size() && size <= bytes.size() - offset;
  }
  std::span<const uint8_t> from(uint64_t at) const {
    return holds(at, 0) ? bytes.subspan(at - address) : std::span<const uint8_t>{};
  }
  std::span<const uint8_t> part(uint64_t at, uint64_t size) const {
    return holds(at, size) ? bytes.subspan(at - address, size) : std::span<const uint8_t>{};
  }
  template <typename T>
  std::optional<T> read(uint64_t at) const {
    if (!holds(at, sizeof(T))) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data() + (at - address), sizeof value);
    return value;
  }
};

struct Object {
  Bytes text;          // one executable segment, at most 2 GiB of it
  Bytes eh_frame_hdr;  // PT_GNU_EH_FRAME
  Bytes frames;  // holds .eh_frame and .gcc_except_table: the segment that eh_frame_hdr lies in, or
                 // the whole image if it is mapped without holes
  Bytes go_table =
      {};  // .gopclntab, where .eh_frame says nothing of the functions: then it is asked alone
  int protection = 5;  // of the text: PROT_READ | PROT_EXEC
  std::span<const uint64_t> confirmed =
      {};  // if any: look at these addresses only, and do not scan
};

// Memory that the caller lends: taken from the front, never given back but by setting `used` again.
struct Region {
  uint8_t* base = nullptr;
  size_t size = 0;
  size_t used = 0;

  // All that is left, as an array. keep() what was filled of it before the next call.
  template <typename T>
  std::span<T> rest() {
    const size_t misfit = reinterpret_cast<uintptr_t>(base + used) % alignof(T);
    const size_t skip = misfit ? alignof(T) - misfit : 0;
    if (skip > size - used) return {};
    used += skip;
    return {reinterpret_cast<T*>(base + used), (size - used) / sizeof(T)};
  }
  template <typename T>
  void keep(size_t count) {
    used += count * sizeof(T);
  }
};

}  // namespace sctrace::rewriter
