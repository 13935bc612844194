#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "formats/read/netlink.h"

namespace sctrace::read::netlink {

using arch::Kind;
using arch::Set;
using As = Holds::As;

namespace {

struct Line {
  Attributes table;
  uint32_t type;
  Holds holds;
};
struct Table {
  Attributes table;
  Set set;
};
using namespace holding;
constexpr Table tables[] = {
#define ATTRIBUTES(table, set) {Attributes::table, Set::set},
#define ATTRIBUTE(type, ...)
#define END_ATTRIBUTES
#include "arch/netlink.def"
#undef ATTRIBUTES
#undef ATTRIBUTE
};
constexpr Line lines[] = {
#define ATTRIBUTES(name, set) {Attributes::name, ~0u, {}},
#define ATTRIBUTE(type, ...) {Attributes{}, 0, __VA_ARGS__},
#include "arch/netlink.def"
#undef ATTRIBUTES
#undef ATTRIBUTE
};
constexpr const char* names[] = {
#define ATTRIBUTES(name, set) nullptr,
#define ATTRIBUTE(type, ...) #type,
#include "arch/netlink.def"
#undef ATTRIBUTES
#undef ATTRIBUTE
#undef END_ATTRIBUTES
};
constexpr size_t line_count = sizeof lines / sizeof *lines;

// The lines with the numbers of their types, which the table's set knows.
struct Resolved {
  Line at[line_count];
};
constexpr Resolved resolve() {
  Resolved r{};
  Attributes table{};
  for (size_t i = 0; i < line_count; ++i) {
    r.at[i] = lines[i];
    if (!names[i])
      table = lines[i].table;
    else
      r.at[i].table = table, r.at[i].type = static_cast<uint32_t>(arch::fold::value_of(
                                 tables[static_cast<size_t>(table)].set, names[i]));
  }
  return r;
}
constexpr Resolved resolved = resolve();

uint64_t integer(const uint8_t* at, size_t bytes, bool sign) {
  uint64_t n = 0;
  std::memcpy(&n, at, std::min<size_t>(bytes, 8));
  if (sign && bytes < 8 && n >> (8 * bytes - 1) & 1) n |= ~0ull << (8 * bytes);
  return n;
}

Value value(const Message& m, const Holds& h, Span where) {
  uint8_t b[8] = {};
  const size_t n = h.as == As::value ? h.least : static_cast<size_t>(where.bytes);
  if (n > 8 || where.bytes < n || !n || (h.most && where.bytes > h.most))
    return hex_bytes(m, where);
  if (!m.s.memory.whole(b, where.at, n, m.out)) return value_address(where.at);
  return scalar(m.s, h.kind, h.set, integer(b, n, h.kind == Kind::number), n == 8);
}

Value ticks_value(const Message& m, Span where) {
  uint8_t b[8] = {};
  if (where.bytes > 8) return hex_bytes(m, where);
  if (!m.s.memory.whole(b, where.at, where.bytes, m.out)) return value_address(where.at);
  const uint64_t n = integer(b, where.bytes, false);
  Value v = value_unsigned(n);
  if (!n) return v;
  v.kind = Value::Kind::word;
  v.numbered = true;
  v.text = fmt::format("{}.{:02} s", n / 100, n % 100);
  return v;
}

Value member_value(const Message& m, const Holds& h, Span where) {
  uint8_t b[48];
  if (where.bytes < h.least) return hex_bytes(m, where);
  if (!m.s.memory.whole(b, where.at, h.least, m.out)) return value_address(where.at);
  return network_member(h.kind, h.set, b, h.least, m.family);
}

Value hardware_value(const Message& m, Span where) {
  uint8_t b[32];
  if (where.bytes > sizeof b) return hex_bytes(m, where);
  if (!m.s.memory.whole(b, where.at, where.bytes, m.out)) return value_address(where.at);
  return hardware_address(b, static_cast<size_t>(where.bytes));
}

// Whole with the nul at its end, which is not shown; cut without.
Value text_value(const Message& m, Span where) {
  std::string all = m.s.memory.bytes(where.at, where.bytes, m.out);
  const bool known =
      all.size() == where.bytes || m.s.memory.shortened(where.at, where.bytes, m.out);
  const bool ended = all.size() == where.bytes && !all.empty() && all.back() == '\0';
  if (ended) all.pop_back();
  Value v = value_text(std::move(all));
  v.cut = !ended;
  if (!known) v.rest = where.at;
  return v;
}

Value type_value(Attributes table, uint16_t type) {
  Value word_of = word(types(table), type & 0x3fffu);
  if (!(type & 0xc000)) return word_of;
  Value flags = words(Set::nla_flags, type & 0xc000u);
  Value both = value_of(Value::Kind::either);
  both.items = {flags, word_of};
  return both;
}

}  // namespace

const Holds& holds(Attributes table, uint32_t type) {
  static constexpr Holds bytes{};
  for (const Line& line : resolved.at)
    if (line.table == table && line.type == type) return line.holds;
  return bytes;
}

Set types(Attributes table) { return tables[static_cast<size_t>(table)].set; }

Value hex_bytes(const Message& m, Span where) {
  Value v = text_at(m.s, where.at, where.bytes, m.out);
  v.bare = true;
  return v;
}

Value several(std::vector<Value> items) {
  Value v = value_of(Value::Kind::either);
  v.unknown = "items";
  v.items = std::move(items);
  return v;
}

Value structure_of(const Message& m, arch::Layout layout, uint64_t least, Span where) {
  if (where.bytes < least) return hex_bytes(m, where);
  const uint64_t size = bytes_of(layout), known = std::min(size, where.bytes);
  std::string b(size, '\0');
  if (!m.s.memory.whole(b.data(), where.at, known, m.out)) return value_address(where.at);
  return plain(m.s, layout, reinterpret_cast<const uint8_t*>(b.data()), {}, known);
}

Value held(Message& m, const Holds& h, Span where) {
  switch (h.as) {
    case As::bytes: break;
    case As::text: return text_value(m, where);
    case As::value:
    case As::wide_value: return value(m, h, where);
    case As::integer:
      if (where.bytes & (where.bytes - 1)) break;
      return value(m, h, where);
    case As::member: return member_value(m, h, where);
    case As::address:
      if (m.family == 2) return member_value(m, inet4, where);
      if (m.family == 10) return member_value(m, inet6, where);
      break;
    case As::hardware: return hardware_value(m, where);
    case As::ticks: return ticks_value(m, where);
    case As::nested: return attributes(m, h.table, where);
    case As::structure: {
      Value head = structure_of(m, h.layout, h.least, where);
      if (!h.most || where.bytes <= h.most || head.kind != Value::Kind::structure) return head;
      return several({head, hex_bytes(m, where.from(h.most))});
    }
    case As::structures:
      return elements_of(m, where, h.least,
                         [&](uint64_t, const uint8_t* b) { return plain(m.s, h.layout, b); });
    case As::array:
      return elements_of(m, where, h.least, [&](uint64_t, const uint8_t* b) {
        return scalar(m.s, h.kind, Set::none, integer(b, h.least, h.kind == Kind::number));
      });
    case As::indexed:
      return elements_of(m, where, h.least, [&](uint64_t i, const uint8_t* b) {
        return at_place(
            h.set, i, scalar(m.s, h.kind, Set::none, integer(b, h.least, h.kind == Kind::number)));
      });
    case As::special: return special(m, h.special, where);
  }
  return hex_bytes(m, where);
}

Value attributes(Message& m, Attributes table, Span where) {
  if (m.depth >= deepest || where.bytes < 4) return hex_bytes(m, where);
  ++m.depth;
  Value list = value_of(Value::Kind::list);
  list.bounded = true;
  while (where.bytes && list.items.size() < longest) {
    uint16_t head[2];
    if (where.bytes < 4) {
      list.items.push_back(hex_bytes(m, where));
      break;
    }
    if (!m.s.memory.whole(head, where.at, 4, m.out)) {
      if (list.items.empty()) return --m.depth, value_address(where.at);
      list.rest = where.at;
      break;
    }
    Value header = Builder()
                       .add("nla_len", value_unsigned(head[0]))
                       .add("nla_type", type_value(table, head[1]))
                       .done();
    const uint64_t length = std::min<uint64_t>(head[0], where.bytes);
    if (length <= 4)
      list.items.push_back(header);
    else {
      Value one = value_of(Value::Kind::list);
      one.items = {header, held(m, holds(table, head[1] & 0x3fffu), {where.at + 4, length - 4})};
      // An attribute may be followed by its own: they are given as several items.
      if (one.items[1].kind == Value::Kind::either && one.items[1].unknown == "items") {
        std::vector<Value> several = std::move(one.items[1].items);
        one.items.pop_back();
        for (Value& v : several) one.items.push_back(std::move(v));
      }
      one.whole = one.items.size();
      list.items.push_back(one);
    }
    if (head[0] < 4) break;
    where = where.from((head[0] + 3u) & ~3u);
  }
  --m.depth;
  list.whole = list.items.size() + (list.items.size() == longest);
  if (list.items.size() == 1 && !list.rest) {
    Value only = std::move(list.items[0]);
    return only;
  }
  return list;
}

}  // namespace sctrace::read::netlink
