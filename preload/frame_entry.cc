#include "preload/frame_entry.h"

namespace sctrace::preload {

uint64_t Cursor::uleb() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = take<uint8_t>();
    value |= uint64_t{byte & 0x7fu} << shift;
    if (!(byte & 0x80)) return value;
  }
  return failed = true, 0;
}

int64_t Cursor::sleb() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64;) {
    const uint8_t byte = take<uint8_t>();
    value |= uint64_t{byte & 0x7fu} << shift;
    shift += 7;
    if (byte & 0x80) continue;
    if (byte & 0x40 && shift < 64) value |= ~uint64_t{0} << shift;
    return static_cast<int64_t>(value);
  }
  return failed = true, 0;
}

// A number in one of the formats of DW_EH_PE, relative to nothing.
uint64_t Cursor::plain(uint8_t encoding) {
  switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c: return take<uint64_t>();
    case 0x02: return take<uint16_t>();
    case 0x03: return take<uint32_t>();
    case 0x0b: return static_cast<uint64_t>(int64_t{take<int32_t>()});
    default: return failed = true, 0;
  }
}

namespace {

bool open(const FrameTable& table, uint64_t at, Cursor& entry) {
  if (at < table.frames || at >= table.frames_end) return false;
  entry = {at, table.frames_end};
  const uint32_t length = entry.take<uint32_t>();
  if (entry.failed || length < 4 || length >= 0xfffffff0 || length > entry.limit - entry.at)
    return false;
  entry.limit = entry.at + length;
  return true;
}

bool read_augmentation(Cursor& in, const char* letters, Entry& entry) {
  const uint64_t size = in.uleb(), begin = in.at;
  if (in.failed || size > in.limit - in.at) return false;
  for (; *letters; ++letters) {
    switch (*letters) {
      case 'R': entry.encoding = in.take<uint8_t>(); break;
      case 'L': in.take<uint8_t>(); break;
      case 'P': in.plain(in.take<uint8_t>()); break;
      case 'S': entry.of_handler = true; break;
      case 'B': break;
      default: return false;
    }
  }
  in.at = begin + size;
  return !in.failed;
}

bool read_common(const FrameTable& table, uint64_t at, Entry& entry) {
  Cursor in{0, 0};
  if (!open(table, at, in) || in.take<uint32_t>() != 0) return false;
  const uint8_t version = in.take<uint8_t>();
  if (version != 1 && version != 3) return false;
  char letters[8] = {};
  for (unsigned i = 0;; ++i) {
    if (i == sizeof letters) return false;
    if (!(letters[i] = in.take<char>())) break;
  }
  entry.code_step = in.uleb();
  entry.data_step = in.sleb();
  const uint64_t back = version == 1 ? in.take<uint8_t>() : in.uleb();
  if (in.failed || back != reg_back) return false;
  entry.has_data = letters[0] == 'z';
  if (letters[0] && (!entry.has_data || !read_augmentation(in, letters + 1, entry))) return false;
  entry.common = in;
  return true;
}

bool read_entry(const FrameTable& table, uint64_t at, uint64_t pc, Entry& entry) {
  Cursor in{0, 0};
  if (!open(table, at, in)) return false;
  const uint64_t here = in.at;
  const uint32_t back = in.take<uint32_t>();
  if (in.failed || !back || !read_common(table, here - back, entry)) return false;
  const uint64_t base = in.at;
  const bool relative = entry.encoding & 0x10;
  if (entry.encoding & 0xe0) return false;
  entry.begin = in.plain(entry.encoding) + (relative ? base : 0);
  const uint64_t bytes = in.plain(entry.encoding & 0x0f);
  if (entry.has_data) in.skip(in.uleb());
  entry.own = in;
  return !in.failed && pc - entry.begin < bytes;
}

// The table is pairs of 32 bits, ascending: where a function begins and where its FDE lies, both
// counted from .eh_frame_hdr. 0: there is none for `pc`.
uint64_t search(const FrameTable& table, uint64_t pc) {
  Cursor in{table.index, table.index_end};
  const uint32_t head = in.take<uint32_t>();
  constexpr uint32_t sorted_pairs = 0x3b000001;  // version 1, datarel sdata4
  if (in.failed || (head & 0xff0000ff) != sorted_pairs) return 0;
  in.plain(head >> 8 & 0xff);
  uint64_t high = in.plain(head >> 16 & 0xff), low = 0;
  if (in.failed || high > (in.limit - in.at) / 8) return 0;
  const auto word = [&](uint64_t n) -> uint64_t {
    int32_t value = 0;
    in.failed |= !try_load(in.at + n * 4, value);
    return table.index + static_cast<uint64_t>(int64_t{value});
  };
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (word(2 * middle) <= pc)
      low = middle + 1;
    else
      high = middle;
  }
  const uint64_t found = low ? word(2 * low - 1) : 0;
  return in.failed ? 0 : found;
}

}  // namespace

bool find_frame_entry(const FrameTable& table, uint64_t pc, Entry& entry) {
  const uint64_t at = search(table, pc);
  return at && read_entry(table, at, pc, entry);
}

}  // namespace sctrace::preload
