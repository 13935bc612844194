#include <fmt/format.h>

#include <algorithm>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

Value envelope(const uint8_t* b) {
  return Builder()
      .add("attack_length", value_unsigned(peek<uint16_t>(b)))
      .add("attack_level", value_unsigned(peek<uint16_t>(b + 2)))
      .add("fade_length", value_unsigned(peek<uint16_t>(b + 4)))
      .add("fade_level", value_hex(peek<uint16_t>(b + 6)))
      .done();
}

Value periodic(const uint8_t* b) {
  return Builder()
      .add("waveform", value_unsigned(peek<uint16_t>(b)))
      .add("period", value_unsigned(peek<uint16_t>(b + 2)))
      .add("magnitude", value_number(peek<int16_t>(b + 4)))
      .add("offset", value_number(peek<int16_t>(b + 6)))
      .add("phase", value_unsigned(peek<uint16_t>(b + 8)))
      .add("envelope", envelope(b + 10))
      .add("custom_len", value_unsigned(peek<uint32_t>(b + 20)))
      .add("custom_data", value_address(peek<uint64_t>(b + 24)))
      .done();
}

// An effect of a force feedback device: beyond what all have, what its type asks for.
Value effect(const uint8_t* b) {
  enum : uint16_t { rumble = 0x50, wave = 0x51, constant = 0x52, ramp = 0x57 };
  const uint16_t type = peek<uint16_t>(b);
  Builder f;
  f.add("type", word(Set::evdev_forces, type))
      .add("id", value_number(peek<int16_t>(b + 2)))
      .add("direction", value_unsigned(peek<uint16_t>(b + 4)))
      .add("trigger",
           Builder()
               .add("button", value_unsigned(peek<uint16_t>(b + 6)))
               .add("interval", value_unsigned(peek<uint16_t>(b + 8)))
               .done(),
           true)
      .add("replay",
           Builder()
               .add("length", value_unsigned(peek<uint16_t>(b + 10)))
               .add("delay", value_unsigned(peek<uint16_t>(b + 12)))
               .done(),
           true);
  b += 16;
  if (type == constant)
    f.add("constant",
          Builder()
              .add("level", value_number(peek<int16_t>(b)))
              .add("envelope", envelope(b + 2))
              .done(),
          true);
  if (type == ramp)
    f.add("ramp",
          Builder()
              .add("start_level", value_number(peek<int16_t>(b)))
              .add("end_level", value_number(peek<int16_t>(b + 2)))
              .add("envelope", envelope(b + 4))
              .done(),
          true);
  if (type == wave) f.add("periodic", periodic(b), true);
  if (type == rumble)
    f.add("rumble",
          Builder()
              .add("strong_magnitude", value_unsigned(peek<uint16_t>(b)))
              .add("weak_magnitude", value_unsigned(peek<uint16_t>(b + 2)))
              .done(),
          true);
  return f.done();
}

// What bits stand for, by the number of the request; `none`: not bits.
Set bits_of(uint32_t number) {
  static constexpr Set events[] = {Set::evdev_types,     Set::evdev_keys, Set::evdev_relatives,
                                   Set::evdev_absolutes, Set::evdev_misc, Set::evdev_switches};
  switch (number) {
    case 0x09: return Set::evdev_properties;
    case 0x18: return Set::evdev_keys;
    case 0x19:
    case 0x31: return Set::evdev_leds;
    case 0x1a:
    case 0x32: return Set::evdev_sounds;
    case 0x1b: return Set::evdev_switches;
    case 0x34: return Set::evdev_repeats;
    case 0x35: return Set::evdev_forces;
    case 0x37: return Set::evdev_statuses;
    default: return number >= 0x20 && number < 0x26 ? events[number - 0x20] : Set::none;
  }
}

std::string short_hex(uint64_t n) { return n ? fmt::format("{:#x}", n) : "0"; }

Value bits(const Scene& s, Set set, uint64_t at, uint32_t bytes) {
  const auto told = static_cast<uint64_t>(s.call.result);
  const uint64_t n = bytes ? std::min<uint64_t>(bytes, told) : std::min<uint64_t>(told, 4096);
  const std::string all = s.memory.bytes(at, n, true);
  if (all.size() < n || !n) return value_address(at);
  Value v = value_of(Kind::members);
  for (uint32_t i = 0; i < n * 8; ++i)
    if (all[i / 8] >> i % 8 & 1) v.items.push_back(word(set, i));
  uint64_t last = 0;  // more bits than there are names for are none
  for (const auto& w : words_of(set)) last = std::max(last, w.value);
  const std::string longs = s.memory.bytes(at, (std::min(n, last / 8 + 1) + 7) & ~7ull, true);
  for (size_t i = 0; i + 8 <= longs.size(); i += 8)
    v.text +=
        fmt::format("{}{}", i ? ", " : "",
                    short_hex(peek<uint64_t>(reinterpret_cast<const uint8_t*>(longs.data()) + i)));
  return v;
}

Value axis(const Scene& s, uint64_t at, uint32_t bytes, bool out) {
  static constexpr const char* names[] = {"value", "minimum", "maximum",
                                          "fuzz",  "flat",    "resolution"};
  uint32_t fields[6];
  const uint32_t n = bytes >= 24 ? 6 : 5;
  if (!s.memory.whole(fields, at, n * 4, out)) return value_address(at);
  Builder f;
  for (uint32_t i = 0; i < n; ++i) f.add(names[i], value_unsigned(fields[i]), i >= 2);
  Value v = f.done();
  v.numbered = bytes > 20 && bytes != 24;
  return v;
}

Value touch_slots(const Scene& s, uint64_t at, uint32_t bytes) {
  uint32_t code = 0;
  if (bytes < 4 || !s.memory.whole(&code, at, 4, true)) return value_address(at);
  return Builder()
      .add("code", word(Set::evdev_touches, code))
      .add("values",
           bytes < 8 ? value_of(Kind::list) : elements(s, Layout::s32, at + 4, bytes / 4 - 1, true))
      .done();
}

}  // namespace

Value input_struct(const Scene&, Layout layout, const uint8_t* b) {
  if (layout == Layout::evdev_effect) return effect(b);
  if (layout != Layout::evdev_keycode) return {};
  Value list = value_of(Kind::list);
  list.items = {value_unsigned(peek<uint32_t>(b)), word(Set::evdev_keys, peek<uint32_t>(b + 4))};
  list.whole = 2;
  return list;
}

Value input_request(const Scene& s, uint32_t request, uint64_t at) {
  const uint32_t number = request & 255, bytes = arch::request_bytes(request);
  const bool writes = arch::request_writes(request) && !arch::request_reads(request);
  if (!at) return value_address(0);
  if (!writes)
    return number >> 6 == 3 && bytes >= 20 ? axis(s, at, bytes, false) : value_address(at);
  if (!s.ok()) return value_address(at);
  if (number >= 6 && number <= 8) return text_at(s, at, static_cast<uint64_t>(s.call.result), true);
  if (number == 0x0a) return touch_slots(s, at, bytes);
  if (number >> 6 == 1 && bytes >= 20) return axis(s, at, bytes, true);
  if (number == 0x36) return structure(s, Layout::u32, at, 4, true);
  const Set set = bits_of(number);
  return set == Set::none ? value_address(at) : bits(s, set, at, bytes);
}

}  // namespace sctrace::read
