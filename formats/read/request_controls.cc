// The controls of video devices.
#include <fmt/format.h>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

// By its name, or by its class: those of a class lie behind the class's own number.
Value known_id(uint32_t id) {
  Value v = word(Set::v4l2_control_ids, id);
  const uint32_t of = id & 0xffff0000;
  const char* name = v.text.empty() ? word_text(Set::v4l2_control_classes, of) : nullptr;
  if (name) v.text = fmt::format("{}+{:#x}", name, id - of);
  if (name && id == of) v.text = fmt::format("{}+0", name);
  return v;
}

void add_extent(Builder& f, const uint8_t* b) {
  const uint32_t dimensions = peek<uint32_t>(b + 84);
  Value list = value_of(Kind::list);
  for (uint32_t i = 0; i < dimensions && i < 4; ++i)
    list.items.push_back(value_unsigned(peek<uint32_t>(b + 88 + i * 4)));
  list.whole = list.items.size();
  list.bounded = true;
  f.add("elem_size", value_unsigned(peek<uint32_t>(b + 76)), true)
      .add("elems", value_unsigned(peek<uint32_t>(b + 80)), true)
      .add("nr_of_dims", value_unsigned(dimensions), true)
      .add("dims", list, true);
}

void add_reserve(Builder& f, const uint8_t* b, size_t n) {
  Value list = value_of(Kind::list);
  bool any = false;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t word = peek<uint32_t>(b + i * 4);
    any |= word != 0;
    list.items.push_back(value_hex(word));
  }
  list.whole = n;
  list.bounded = true;
  if (any) f.add("reserved", list, true);
}

}  // namespace

Value video_control_id(const uint8_t* b, bool flagged) {
  constexpr uint32_t next = 0xc0000000;  // the one behind it is asked for
  const uint32_t id = peek<uint32_t>(b);
  if (!flagged || !(id & next)) return known_id(id);
  Value v = value_of(Kind::either);
  v.items = {words(Set::v4l2_next_flags, id & next), known_id(id & ~next)};
  v.number = id;
  v.base = Value::Base::hexadecimal;
  v.numbered = true;  // one number in the raw style
  return v;
}

// What a control is, in 32 bits or `extended`. Its own number only where the kernel has another
// than the one it was asked for.
Value queried_control(const Scene& s, const uint8_t* b, const Place& place, bool extended) {
  const auto limit = [&](size_t which) {
    return extended ? value_number(peek<int64_t>(b + 40 + which * 8))
                    : value_number(peek<int32_t>(b + 40 + which * 4));
  };
  uint32_t asked = peek<uint32_t>(b);
  Builder f;
  if (s.memory.whole(&asked, place.at, sizeof asked, false) && asked != peek<uint32_t>(b))
    f.add("id", video_control_id(b, false));
  f.add("type", word(Set::v4l2_control_types, peek<uint32_t>(b + 4)))
      .add("name", name_in(b + 8, 32))
      .add("minimum", limit(0), true)
      .add("maximum", limit(1), true)
      .add("step", extended ? value_unsigned(peek<uint64_t>(b + 56)) : limit(2), true)
      .add("default_value", limit(3), true)
      .add("flags", words(Set::v4l2_control_flags, peek<uint32_t>(b + (extended ? 72 : 56))), true);
  if (extended) add_extent(f, b);
  add_reserve(f, b + (extended ? 104 : 60), extended ? 32 : 2);
  return f.done();
}

Value video_control(const Scene& s, const uint8_t* b, bool out) {
  const uint32_t size = peek<uint32_t>(b + 4);
  Builder f;
  f.add("id", word(Set::v4l2_control_ids, peek<uint32_t>(b))).add("size", value_unsigned(size));
  if (size) return f.add("string", text_at(s, peek<uint64_t>(b + 12), size, out)).done();
  return f.add("value", value_number(peek<int32_t>(b + 12)))
      .add("value64", value_number(peek<int64_t>(b + 12)))
      .done();
}

// Several of them: as they were told, and as they are. Which one was refused is told where the call
// failed.
Value video_controls(const Scene& s, uint64_t at) {
  uint8_t in[32], now[32];
  if (!s.memory.whole(in, at, sizeof in, false)) return value_address(at);
  const uint32_t count = peek<uint32_t>(in + 4);
  const auto all = [&](const uint8_t* b, bool out) {
    return elements(s, Layout::v4l2_ext_control, peek<uint64_t>(b + 24), peek<uint32_t>(b + 4),
                    out);
  };
  Builder told, done;
  told.add("ctrl_class", word(Set::v4l2_control_classes, peek<uint32_t>(in)))
      .add("count", value_unsigned(count));
  if (!count) return told.done();
  const bool asks = static_cast<uint32_t>(s.call.args[1]) == arch::requests::io_VIDIOC_G_EXT_CTRLS;
  if (!asks) {
    Value list = all(in, false);
    const bool whole = list.kind == Kind::list && !list.rest;
    told.add("controls", std::move(list));
    if (!whole) return told.done();
  }
  if (!s.call.ended || !s.memory.whole(now, at, sizeof now, true)) return told.done();
  Builder& f = asks ? told : done;
  f.add("controls", all(now, true));
  if (!s.ok()) f.add("error_idx", value_unsigned(peek<uint32_t>(now + 8)));
  if (asks) return told.done();
  Value change = value_of(Kind::change);
  change.items = {told.done(), done.done()};
  return change;
}

}  // namespace sctrace::read
