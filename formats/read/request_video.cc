#include <fmt/format.h>

#include <algorithm>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

std::string letter(uint8_t c) {
  if (c == '\'' || c == '\\') return fmt::format("'\\{}'", static_cast<char>(c));
  return c >= ' ' && c < 0x7f ? fmt::format("'{}'", static_cast<char>(c))
                              : fmt::format("'\\x{:02x}'", c);
}

// Four letters that name a format of pixels or samples; known ones have a name besides.
Value four_letters(const uint8_t* b, Set set) {
  Value v = value_of(Kind::word);
  v.base = Value::Base::hexadecimal;
  v.number = peek<uint32_t>(b);
  v.negated = true;  // in every style but the raw one
  v.text = fmt::format("v4l2_fourcc({}, {}, {}, {})", letter(b[0]), letter(b[1]), letter(b[2]),
                       letter(b[3]));
  if (const char* name = word_text(set, v.number)) v.text += fmt::format(" /* {} */", name);
  return v;
}

Value fraction(const uint8_t* b) {
  return bare_text(fmt::format("{}/{}", peek<uint32_t>(b), peek<uint32_t>(b + 4)));
}

template <class T>
Value numbers(const uint8_t* b, size_t n, bool hexadecimal = false) {
  Value list = value_of(Kind::list);
  for (size_t i = 0; i < n; ++i) {
    const int64_t v = peek<T>(b + i * sizeof(T));
    list.items.push_back(hexadecimal ? value_hex(static_cast<uint64_t>(v)) : value_number(v));
  }
  list.whole = n;
  list.bounded = true;
  return list;
}

Value pixels(const uint8_t* b) {
  return Builder()
      .add("width", value_unsigned(peek<uint32_t>(b)))
      .add("height", value_unsigned(peek<uint32_t>(b + 4)))
      .add("pixelformat", four_letters(b + 8, Set::v4l2_pixel_formats))
      .add("field", word(Set::v4l2_fields, peek<uint32_t>(b + 12)))
      .add("bytesperline", value_unsigned(peek<uint32_t>(b + 16)))
      .add("sizeimage", value_unsigned(peek<uint32_t>(b + 20)))
      .add("colorspace", word(Set::v4l2_colorspaces, peek<uint32_t>(b + 24)))
      .done();
}

Value planes(const uint8_t* b) {
  const size_t n = b[180];
  Value list = value_of(Kind::list);
  for (size_t i = 0; i < std::min<size_t>(n, 8); ++i)
    list.items.push_back(Builder()
                             .add("sizeimage", value_unsigned(peek<uint32_t>(b + 20 + i * 20)))
                             .add("bytesperline", value_unsigned(peek<uint32_t>(b + 24 + i * 20)))
                             .done());
  list.whole = list.items.size();
  return Builder()
      .add("width", value_unsigned(peek<uint32_t>(b)))
      .add("height", value_unsigned(peek<uint32_t>(b + 4)))
      .add("pixelformat", four_letters(b + 8, Set::v4l2_pixel_formats))
      .add("field", word(Set::v4l2_fields, peek<uint32_t>(b + 12)))
      .add("colorspace", word(Set::v4l2_colorspaces, peek<uint32_t>(b + 16)))
      .add("plane_fmt", list)
      .add("num_planes", value_unsigned(n))
      .done();
}

Value window(const Scene& s, const uint8_t* b, bool out) {
  const uint32_t clips = peek<uint32_t>(b + 32);
  Builder f;
  f.add("w", plain(s, Layout::v4l2_rect, b))
      .add("field", word(Set::v4l2_fields, peek<uint32_t>(b + 16)))
      .add("chromakey", value_hex(peek<uint32_t>(b + 20)))
      .add("clips", elements(s, Layout::v4l2_clip, peek<uint64_t>(b + 24), clips, out))
      .add("clipcount", value_unsigned(clips))
      .add("bitmap", value_address(peek<uint64_t>(b + 40)));
  if (b[48]) f.add("global_alpha", value_hex(b[48]));
  return f.done();
}

// Nothing more is told of a window after the call where its clips could not be read before it, or
// there were none.
bool is_closed_window(const Scene& s, const Place& place) {
  uint8_t b[64];
  if (!s.memory.whole(b, place.at, sizeof b, false)) return true;
  if (peek<uint32_t>(b) != 3 && peek<uint32_t>(b) != 8) return false;
  const uint32_t clips = peek<uint32_t>(b + 40);
  const Value all = elements(s, Layout::v4l2_clip, peek<uint64_t>(b + 32), clips, false);
  return all.kind != Kind::list || all.rest || all.items.empty();
}

Value blanking(const uint8_t* b) {
  return Builder()
      .add("sampling_rate", value_unsigned(peek<uint32_t>(b)))
      .add("offset", value_unsigned(peek<uint32_t>(b + 4)))
      .add("samples_per_line", value_unsigned(peek<uint32_t>(b + 8)))
      .add("sample_format", four_letters(b + 12, Set::v4l2_pixel_formats))
      .add("start", numbers<int32_t>(b + 16, 2))
      .add("count", numbers<uint32_t>(b + 24, 2))
      .add("flags", words(Set::v4l2_vbi_flags, peek<uint32_t>(b + 32)))
      .done();
}

Value sliced(const uint8_t* b) {
  Value lines = value_of(Kind::list);
  for (size_t i = 0; i < 2; ++i) lines.items.push_back(numbers<uint16_t>(b + 2 + i * 48, 24, true));
  lines.whole = 2;
  return Builder()
      .add("service_set", words(Set::v4l2_sliced, peek<uint16_t>(b)))
      .add("service_lines", lines)
      .add("io_size", value_unsigned(peek<uint32_t>(b + 100)))
      .done();
}

Value stream(const char* name, const uint8_t* b, Set set, bool sized) {
  const uint32_t size = peek<uint32_t>(b + 4);
  Builder f;
  f.add(name, four_letters(b, set));
  if (sized || size) f.add("buffersize", value_unsigned(size));
  return f.done();
}

Value format(const Scene& s, const uint8_t* b, bool typed, bool contents, bool out) {
  const uint32_t type = peek<uint32_t>(b);
  const uint8_t* f = b + 8;
  Builder v;
  if (typed) v.add("type", word(Set::v4l2_buffer_types, type));
  if (contents) switch (type) {
      case 1:
      case 2: v.add("fmt.pix", pixels(f)); break;
      case 9:
      case 10: v.add("fmt.pix_mp", planes(f)); break;
      case 3:
      case 8: v.add("fmt.win", window(s, f, out)); break;
      case 4:
      case 5: v.add("fmt.vbi", blanking(f)); break;
      case 6:
      case 7: v.add("fmt.sliced", sliced(f)); break;
      case 11:
      case 12: v.add("fmt.sdr", stream("pixelformat", f, Set::v4l2_sdr_formats, false)); break;
      case 13:
      case 14: v.add("fmt.meta", stream("dataformat", f, Set::v4l2_meta_formats, true)); break;
      default: break;
    }
  return v.done();
}

Value parameters(const uint8_t* b, bool typed, bool contents) {
  const uint32_t type = peek<uint32_t>(b);
  Builder v;
  if (typed) v.add("type", word(Set::v4l2_buffer_types, type));
  if (!contents || (type != 1 && type != 2)) return v.done();
  return v
      .add(type == 1 ? "parm.capture" : "parm.output",
           Builder()
               .add("capability", words(Set::v4l2_parm_capabilities, peek<uint32_t>(b + 4)))
               .add(type == 1 ? "capturemode" : "outputmode",
                    words(Set::v4l2_parm_modes, peek<uint32_t>(b + 8)))
               .add("timeperframe", fraction(b + 12))
               .add("extendedmode", value_hex(peek<uint32_t>(b + 20)))
               .add(type == 1 ? "readbuffers" : "writebuffers",
                    value_unsigned(peek<uint32_t>(b + 24)))
               .done())
      .done();
}

Value buffer(const Scene& s, const uint8_t* b, bool dequeued) {
  constexpr uint32_t clock = 0xe000, source = 0x70000;
  const uint32_t flags = peek<uint32_t>(b + 12), memory = peek<uint32_t>(b + 60);
  Value all = value_of(Kind::either);
  all.number = flags;
  all.base = Value::Base::hexadecimal;
  all.numbered = true;  // one number in the raw style
  if (flags & ~(clock | source))
    all.items.push_back(words(Set::v4l2_buffer_flags, flags & ~(clock | source)));
  all.items.push_back(word(Set::v4l2_clock_flags, flags & clock));
  all.items.push_back(word(Set::v4l2_source_flags, flags & source));
  Builder f;
  if (dequeued) f.add("index", value_unsigned(peek<uint32_t>(b)));
  f.add("memory", word(Set::v4l2_memories, memory));
  if (memory == 1) f.add("m.offset", value_hex(peek<uint32_t>(b + 64)));
  if (memory == 2) f.add("m.userptr", value_address(peek<uint64_t>(b + 64)));
  f.add("length", value_unsigned(peek<uint32_t>(b + 72)))
      .add("bytesused", value_unsigned(peek<uint32_t>(b + 8)))
      .add("flags", all);
  if (dequeued) f.add("timestamp", plain(s, Layout::timeval, b + 24));
  Value v = f.done();
  v.numbered = true;  // there is more in it
  return v;
}

Value frame_size(const uint8_t* b) {
  static constexpr const char* steps[] = {"min_width",  "max_width",  "step_width",
                                          "min_height", "max_height", "step_height"};
  const uint32_t type = peek<uint32_t>(b + 8);
  Builder f, inner;
  f.add("type", word(Set::v4l2_frame_sizes, type));
  for (size_t i = 0; type == 3 && i < 6; ++i)
    inner.add(steps[i], value_unsigned(peek<uint32_t>(b + 12 + i * 4)));
  if (type == 1)
    inner.add("width", value_unsigned(peek<uint32_t>(b + 12)))
        .add("height", value_unsigned(peek<uint32_t>(b + 16)));
  if (type == 1 || type == 3) f.add(type == 1 ? "discrete" : "stepwise", inner.done());
  return f.done();
}

Value frame_interval(const uint8_t* b) {
  const uint32_t type = peek<uint32_t>(b + 16);
  Builder f;
  f.add("type", word(Set::v4l2_frame_intervals, type));
  if (type == 1) f.add("discrete", fraction(b + 20));
  if (type == 2 || type == 3)
    f.add("stepwise", Builder()
                          .add("min", fraction(b + 20))
                          .add("max", fraction(b + 28))
                          .add("step", fraction(b + 36))
                          .done());
  return f.done();
}

}  // namespace

Value video_struct(const Scene& s, Layout layout, const uint8_t* b, const Place& place) {
  switch (layout) {
    case Layout::v4l2_fourcc: return four_letters(b, Set::v4l2_pixel_formats);
    case Layout::v4l2_fract: return fraction(b);
    case Layout::v4l2_next_id: return video_control_id(b, true);
    case Layout::v4l2_id: return video_control_id(b, false);
    case Layout::v4l2_version: {
      const uint32_t v = peek<uint32_t>(b);
      Value version = value_macro(
          "KERNEL_VERSION",
          {value_unsigned(v >> 16), value_unsigned(v >> 8 & 255), value_unsigned(v & 255)});
      version.number = v;
      version.base = Value::Base::hexadecimal;
      version.numbered = true;
      return version;
    }
    case Layout::v4l2_format_ask: return format(s, b, true, false, false);
    case Layout::v4l2_format: return format(s, b, true, true, place.out);
    case Layout::v4l2_format_got: {
      const bool asks = static_cast<uint32_t>(s.call.args[1]) == arch::requests::io_VIDIOC_G_FMT;
      return format(s, b, false, asks || !is_closed_window(s, place), true);
    }
    case Layout::v4l2_parm_ask: return parameters(b, true, false);
    case Layout::v4l2_parm: return parameters(b, true, true);
    case Layout::v4l2_parm_got: return parameters(b, false, true);
    case Layout::v4l2_buffer: return buffer(s, b, false);
    case Layout::v4l2_buffer_dequeued: return buffer(s, b, true);
    case Layout::v4l2_ext_control: return video_control(s, b, place.out);
    case Layout::v4l2_queryctrl: return queried_control(s, b, place, false);
    case Layout::v4l2_queryext: return queried_control(s, b, place, true);
    case Layout::v4l2_created: return value_of(Kind::structure);  // the result tells it
    case Layout::v4l2_frmsize: return frame_size(b);
    case Layout::v4l2_frmival: return frame_interval(b);
    case Layout::v4l2_create:
      return Builder()
          .add("count", value_unsigned(peek<uint32_t>(b + 4)))
          .add("memory", word(Set::v4l2_memories, peek<uint32_t>(b + 8)))
          .add("format", format(s, b + 16, true, true, place.out))
          .done();
    default: return {};
  }
}

}  // namespace sctrace::read
