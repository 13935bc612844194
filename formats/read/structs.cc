#include "formats/read/structs.h"

#include <algorithm>
#include <cstring>

namespace sctrace::read {

using arch::Kind;
using arch::Layout;
using arch::Set;

namespace {

struct Member {
  Layout of;
  const char* name;
  uint16_t offset, bytes;
  Kind kind;
  Set set;
  Layout inner;
  uint16_t count;
  bool detail;
};

constexpr Member members[] = {
#define MEMBER(of, name, offset, bytes, kind, set, inner, count, detail) \
  {Layout::of, name, offset, bytes, Kind::kind, Set::set, Layout::inner, count, detail},
#include "arch/members.def"
#undef MEMBER
};

struct Span {
  uint16_t first = 0, end = 0;
};
struct Index {
  Span of[256];
};
constexpr Index index_members() {
  Index index{};
  uint16_t i = 0;
  for (const Member& m : members) {
    Span& span = index.of[static_cast<size_t>(m.of)];
    if (span.first == span.end) span.first = i;
    span.end = ++i;
  }
  return index;
}
constexpr Index by_layout = index_members();

// A member as it lies in memory, widened to 64 bits as its kind asks.
uint64_t widened(const Member& m, const uint8_t* at) {
  const bool sign = m.kind == Kind::number || m.kind == Kind::pid || m.kind == Kind::long_number;
  switch (m.bytes) {
    case 1: return *at;
    case 2: return sign ? static_cast<uint64_t>(peek<int16_t>(at)) : peek<uint16_t>(at);
    case 4:
      return sign ? static_cast<uint64_t>(static_cast<int64_t>(peek<int32_t>(at)))
                  : peek<uint32_t>(at);
    default: return peek<uint64_t>(at);
  }
}

Value member(const Scene& s, const Member& m, const uint8_t* bytes) {
  const uint8_t* at = bytes + m.offset;
  if (m.inner != Layout::none) return plain(s, m.inner, at);
  if (m.kind == Kind::string) {
    const size_t n = strnlen(reinterpret_cast<const char*>(at), m.bytes);
    Value v = value_text(std::string(reinterpret_cast<const char*>(at), n));
    v.cut = n == m.bytes;
    return v;
  }
  if (!m.count) return scalar(s, m.kind, m.set, widened(m, at), m.bytes == 8);
  Value list = value_of(Value::Kind::list);
  for (uint16_t i = 0; i < m.count; ++i)
    list.items.push_back(scalar(s, m.kind, m.set, widened(m, at + i * m.bytes)));
  list.whole = m.count;
  return list;
}

}  // namespace

bool is_scalar(Layout layout) {
  const Span span = by_layout.of[static_cast<size_t>(layout)];
  return span.end == span.first + 1 && !*members[span.first].name;
}

Value plain(const Scene& s, Layout layout, const uint8_t* bytes) {
  const Span span = by_layout.of[static_cast<size_t>(layout)];
  if (is_scalar(layout)) return member(s, members[span.first], bytes);
  Value v = value_of(Value::Kind::structure);
  for (uint16_t i = span.first; i < span.end; ++i) {
    Value field = named(members[i].name, member(s, members[i], bytes));
    field.detail = members[i].detail;
    v.items.push_back(field);
  }
  return v;
}

Value structure(const Scene& s, Layout layout, uint64_t at, uint64_t bytes, bool out) {
  if (!at) return value_address(0);
  const uint64_t size = arch::layout_bytes[static_cast<size_t>(layout)];
  if (size <= 1) return sized_value(s, layout, at, bytes, out);
  std::string buffer(size, '\0');
  if (!s.memory.whole(buffer.data(), at, size, out)) return value_address(at);
  const auto* raw = reinterpret_cast<const uint8_t*>(buffer.data());
  const Span span = by_layout.of[static_cast<size_t>(layout)];
  if (span.first == span.end || layout == Layout::stat) return other_value(s, layout, raw, at, out);
  Value v = plain(s, layout, raw);
  v.braced = is_scalar(layout);
  return v;
}

}  // namespace sctrace::read
