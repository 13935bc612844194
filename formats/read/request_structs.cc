#include <fmt/format.h>

#include <algorithm>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using Kind = Value::Kind;

Value bare_text(std::string text) {
  Value v = value_of(Kind::word);
  v.bare = true;
  v.text = std::move(text);
  return v;
}

Value uuid(const uint8_t* b) {
  std::string text;
  for (size_t i = 0; i < 16; ++i)
    text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
  return bare_text(text);
}

Value unreadable() { return bare_text("???"); }

Value hexadecimal_text(const Scene& s, uint64_t at, uint64_t n, bool out) {
  Value v = text_at(s, at, n, out);
  v.bare = true;
  return v;
}

namespace {

// PERF_EVENT_IOC_QUERY_BPF: no more than its first word is asked for.
Value programs_asked(const Scene& s, const Place& place) {
  uint32_t most = 0;
  if (!s.memory.whole(&most, place.at, sizeof most, false)) return value_address(place.at);
  return Builder().add("ids_len", value_unsigned(most)).done();
}

}  // namespace

Value request_struct(const Scene& s, Layout layout, const uint8_t* b, const Place& place) {
  if (layout == Layout::scsi_reset) return scsi_reset(b);
  Value v = tty_struct(s, layout, b);
  if (v.kind == Kind::absent) v = keyboard_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = block_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = interface_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = clock_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = video_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = btrfs_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = trusted_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = device_struct(s, layout, b, place);
  return v.kind == Kind::absent ? value_address(place.at) : v;
}

Value partial_struct(const Scene& s, Layout layout, const Place& place) {
  const uint64_t bytes = bytes_of(layout);
  switch (layout) {
    case Layout::hex_font:
    case Layout::hex_color_map:
    case Layout::hex_screen_map: return hexadecimal_text(s, place.at, bytes, place.out);
    case Layout::dm_ioctl: return mapper_request(s, place);
    case Layout::perf_event_attr: return performance_attributes(s, place.at);
    case Layout::perf_query: return programs_asked(s, place);
    case Layout::c_string: return string_at(s, place.at, false, place.out);
    default: return keyboard_partial(s, layout, place);
  }
}

}  // namespace sctrace::read
