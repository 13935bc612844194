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

Value unreadable() { return bare_text("???"); }

Value hexadecimal_text(const Scene& s, uint64_t at, uint64_t n, bool out) {
  Value v = text_at(s, at, n, out);
  v.bare = true;
  return v;
}

Value request_struct(const Scene& s, Layout layout, const uint8_t* b, const Place& place) {
  Value v = tty_struct(s, layout, b);
  if (v.kind == Kind::absent) v = keyboard_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = block_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = interface_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = clock_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = video_struct(s, layout, b, place);
  if (v.kind == Kind::absent) v = btrfs_struct(s, layout, b);
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
    case Layout::c_string: return string_at(s, place.at, false, place.out);
    default: return keyboard_partial(s, layout, place);
  }
}

}  // namespace sctrace::read
