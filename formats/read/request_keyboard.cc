#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Base = Value::Base;
using Kind = Value::Kind;

namespace {

std::string character(uint8_t c) {
  static constexpr char special[] = "\f\n\r\t\v", letters[] = "fnrtv";
  if (const char* at = c ? std::strchr(special, c) : nullptr)
    return fmt::format("'\\{}'", letters[at - special]);
  if (c == '\'' || c == '\\') return fmt::format("'\\{}'", static_cast<char>(c));
  return c >= ' ' && c < 0x7f ? fmt::format("'{}'", static_cast<char>(c))
                              : fmt::format("'\\x{:02x}'", c);
}

std::string short_hex(unsigned n) { return n ? fmt::format("{:#x}", n) : "0"; }

// What a key stands for: a name of its own, else its type and number.
Value key_value(uint32_t v) {
  Value value = word(Set::keyboard_values, v);
  if (value.text.empty()) {
    const unsigned type = v >> 8, number = v & 255;
    const char* name = word_text(Set::keyboard_types, type);
    const bool letter = type == 0 || type == 8 || type == 11 || type == 13;
    value.text = fmt::format("K({}, {})", name ? name : short_hex(type),
                             letter ? character(static_cast<uint8_t>(number)) : short_hex(number));
  }
  value.numbered = true;
  return value;
}

Value table(uint8_t v) {
  Value one = word(Set::keyboard_tables, v);
  return one.text.empty() ? words(Set::keyboard_modifiers, v) : one;
}

Value function(uint8_t v) {
  Value one = word(Set::keyboard_values, v | 0x200);
  one.number = v;
  const char* name = word_text(Set::keyboard_functions, v);
  one.text = name ? fmt::format("KVAL({})", name) : "";
  return one;
}

Value entry(const uint8_t* b, Value value) {
  Builder f;
  f.add("kb_table", table(b[0])).add("kb_index", value_unsigned(b[1]));
  if (value.kind != Kind::absent) f.add("kb_value", std::move(value));
  return f.done();
}

// No more of it is read than may be shown.
Value shown_string(const Scene& s, uint64_t at, bool out, Value otherwise) {
  Value v = string_at(s, at, false, out);
  if (v.kind != Kind::text || (v.rest && v.text.size() < 32)) return otherwise;
  v.rest = 0;
  v.negated = true;
  return v;
}

Value function_string(const Scene& s, const Place& place) {
  return shown_string(s, place.at + 1, place.out, unreadable());
}

// So many triples follow their number; the kernel's struct has place for 256.
Value triples(const Scene& s, const char* name, Layout layout, const Place& place) {
  uint32_t count = 0;
  if (!s.memory.whole(&count, place.at, 4, place.out)) return value_address(place.at);
  Value list = elements(s, layout, place.at + 4, std::min(count, 256u), place.out);
  if (!list.rest && count > 256) list.whole = count;
  return Builder().add("kb_cnt", value_unsigned(count)).add(name, list).done();
}

Value font(const Scene& s, const uint8_t* b, const Place& place, bool contents) {
  const uint64_t count = peek<uint16_t>(b), at = peek<uint64_t>(b + 8);
  return Builder()
      .add("charcount", value_unsigned(count))
      .add("charheight", value_unsigned(peek<uint16_t>(b + 2)))
      .add("chardata",
           contents ? hexadecimal_text(s, at, std::min<uint64_t>(count * 32, 16384), place.out)
                    : value_address(at))
      .done();
}

// The name of a font: 32 bytes with its nul.
Value font_name(const Scene& s, uint64_t at, Value otherwise) {
  Value v = shown_string(s, at, false, std::move(otherwise));
  if (v.kind != Kind::text || v.text.size() < 32) return v;
  v.text.resize(31);
  v.whole = 31;
  v.cut = true;
  return v;
}

Value font_operation(const Scene& s, const uint8_t* b, const Place& place) {
  const uint32_t op = peek<uint32_t>(b), width = peek<uint32_t>(b + 8),
                 count = peek<uint32_t>(b + 16);
  const uint64_t at = peek<uint64_t>(b + 24);
  enum : uint32_t { set, get, set_default, copy };
  if (op == set && place.out) return value_of(Kind::structure);  // it tells nothing new
  const uint64_t bytes = uint64_t{width + 7u} / 8 * 32 * count;
  Value data = value_address(at);
  if (op == set_default && !place.out)
    data = font_name(s, at, data);
  else if ((op == set && !place.out) || (op == get && place.out))
    data = hexadecimal_text(s, at, bytes, place.out);
  Builder f;
  if (!place.out) f.add("op", word(Set::font_ops, op));
  if (!place.out && op != set_default && op != copy)
    f.add("flags", words(Set::font_flags, peek<uint32_t>(b + 4)));
  if (op != copy) f.add("width", value_unsigned(width));
  if (op != copy || !place.out) f.add("height", value_unsigned(peek<uint32_t>(b + 12)));
  if (op != copy && op != set_default) f.add("charcount", value_unsigned(count));
  if (op != copy && (op != set_default || !place.out)) f.add("data", data);
  return f.done();
}

Value unicode_map(const Scene& s, const Place& place) {
  Value list = value_of(Kind::list);
  list.bounded = true;
  uint16_t v = 0;
  for (uint64_t i = 0; i < 256; ++i) {
    if (!s.memory.whole(&v, place.at + i * 2, 2, place.out)) {
      if (i < 32) return value_address(place.at);
      list.rest = place.at + i * 2;
      break;
    }
    Value one = value_hex(v);
    if (v >= 0xf000 && v < 0xf200) {
      one = value_of(Kind::word);
      one.base = Base::hexadecimal;
      one.number = v;
      one.text = "UNI_DIRECT_BASE+" + short_hex(v - 0xf000u);
    }
    list.items.push_back(one);
  }
  list.whole = list.items.size();
  return list;
}

}  // namespace

Value keyboard_struct(const Scene& s, Layout layout, const uint8_t* b, const Place& place) {
  switch (layout) {
    case Layout::kb_entry: return entry(b, key_value(peek<uint16_t>(b + 2)));
    case Layout::kb_entry_got:
      return Builder().add("kb_value", key_value(peek<uint16_t>(b + 2))).done();
    case Layout::kb_mode: {
      Value v = word(Set::kb_modes, peek<uint32_t>(b));
      v.base = Base::decimal;
      v.number = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(v.number)));
      v.braced = true;
      return v;
    }
    case Layout::kb_diacr:
      return Builder()
          .add("diacr", bare_text(character(b[0])))
          .add("base", bare_text(character(b[1])))
          .add("result", bare_text(character(b[2])))
          .done();
    case Layout::font_desc_ask: return font(s, b, place, false);
    case Layout::font_desc: return font(s, b, place, true);
    case Layout::font_op: return font_operation(s, b, place);
    default: return {};
  }
}

Value keyboard_partial(const Scene& s, Layout layout, const Place& place) {
  uint8_t b[4];
  switch (layout) {
    case Layout::kb_entry_ask:
      if (!s.memory.whole(b, place.at, 2, place.out)) return value_address(place.at);
      return entry(b, {});
    case Layout::kb_entry: {
      if (!s.memory.whole(b, place.at, 2, place.out)) return value_address(place.at);
      if (s.memory.whole(b, place.at, 4, place.out)) return {};
      return entry(b, unreadable());
    }
    case Layout::kb_string_ask:
    case Layout::kb_string:
      if (!s.memory.whole(b, place.at, 1, place.out)) return value_address(place.at);
      if (layout == Layout::kb_string_ask) return Builder().add("kb_func", function(b[0])).done();
      return Builder()
          .add("kb_func", function(b[0]))
          .add("kb_string", function_string(s, place))
          .done();
    case Layout::kb_string_got: return Builder().add("kb_string", function_string(s, place)).done();
    case Layout::kb_diacrs: return triples(s, "kbdiacr", Layout::kb_diacr, place);
    case Layout::kb_diacrucs: return triples(s, "kbdiacruc", Layout::kb_diacruc, place);
    case Layout::unicode_map: return unicode_map(s, place);
    default: return {};
  }
}

Value unicode_table(const Scene& s, uint64_t at) {
  uint8_t before[16], after[16];
  if (!s.memory.whole(before, at, 16, false) || !s.memory.whole(after, at, 16, true))
    return value_address(at);
  const uint16_t count = peek<uint16_t>(after);
  const uint64_t entries = peek<uint64_t>(before + 8);
  Value change = value_of(Kind::change);
  change.items = {value_unsigned(peek<uint16_t>(before)), value_unsigned(count)};
  return Builder()
      .add("entry_ct", change)
      .add("entries",
           s.ok() ? elements(s, Layout::unimap_pair, entries, count, true) : value_address(entries))
      .done();
}

}  // namespace sctrace::read
