#include "formats/read/structs.h"

#include <algorithm>
#include <cstring>

#include "formats/read/spending.h"

namespace sctrace::read {

using arch::Kind;
using arch::Layout;
using arch::Member;
using arch::Set;
using arch::Show;
using Role = Member::Role;

namespace {

uint64_t integer(const uint8_t* at, size_t bytes) {
  switch (bytes) {
    case 1: return *at;
    case 2: return peek<uint16_t>(at);
    case 4: return peek<uint32_t>(at);
    case 8: return peek<uint64_t>(at);
    default: return 1;
  }
}

// A member as it lies in memory, widened to 64 bits as its kind asks.
uint64_t widened(const Member& m, const uint8_t* at) {
  const bool sign = m.kind == Kind::number || m.kind == Kind::pid || m.kind == Kind::long_number;
  const uint64_t n = m.bytes <= 8 ? integer(at, m.bytes) : 0;
  if (!sign || m.bytes >= 8) return n;
  const int unused = 64 - 8 * m.bytes;
  return static_cast<uint64_t>(static_cast<int64_t>(n << unused) >> unused);
}

Value string_member(const Member& m, const uint8_t* at) { return name_in(at, m.bytes); }

Value one_of(const Scene& s, const Member& m, const uint8_t* at, const Place& place) {
  if (m.inner == Layout::none) {
    if (m.kind == Kind::string) return string_member(m, at);
    return scalar(s, m.kind, m.set, widened(m, at), m.bytes == 8);
  }
  Value v = !members_of(m.inner).empty() ? plain(s, m.inner, at, place)
                                         : other_value(s, m.inner, at, place.at, place.out);
  return v;
}

// So many inside the struct as it says itself, or always the same number.
Value vector_member(const Scene& s, const Member& m, const uint8_t* bytes, const Place& place) {
  uint64_t n = m.count;
  if (m.length_bytes) n = std::min<uint64_t>(n, integer(bytes + m.length_at, m.length_bytes));
  Value list = value_of(Value::Kind::list);
  for (uint64_t i = 0; i < n && try_spend_value(); ++i) {
    const uint64_t at = m.offset + i * m.bytes;
    list.items.push_back(one_of(s, m, bytes + at, {place.at + at, place.out}));
  }
  list.whole = n;
  list.bounded = true;
  return list;
}

// What a pointer in the struct leads to, or what follows the struct.
Value linked_member(const Scene& s, const Member& m, const uint8_t* bytes, const Place& place) {
  const uint64_t n = m.length_bytes ? integer(bytes + m.length_at, m.length_bytes) : 1;
  if (m.role == Role::tail) {
    Value list = elements(s, m.inner, place.at + m.offset, n, place.out);
    if (list.kind != Value::Kind::list) return list;                    // where it would lie
    list.numbered = m.of == Layout::dedupe || m.of == Layout::deduped;  // brief: two of them
    list.number = 2;
    return list;
  }
  const uint64_t at = peek<uint64_t>(bytes + m.offset);
  if (m.inner == Layout::bytes) return text_at(s, at, n, place.out);
  if (!m.length_bytes) return structure(s, m.inner, at, bytes_of(m.inner), place.out);
  return elements(s, m.inner, at, n, place.out);
}

Value member(const Scene& s, const Member& m, const uint8_t* bytes, const Place& place) {
  switch (m.role) {
    case Role::field: break;
    case Role::vector: return vector_member(s, m, bytes, place);
    case Role::pointed:
    case Role::tail: return linked_member(s, m, bytes, place);
  }
  const uint8_t* at = bytes + m.offset;
  if (m.kind == Kind::padding && m.count) return bare_bytes(at, m.count);
  const bool network = m.kind >= Kind::network && m.kind <= Kind::socket_identity;
  if (network && m.kind != Kind::padding && m.inner == Layout::none)
    return network_member(m.kind, m.set, at, m.count ? m.count : m.bytes, *bytes);
  if (!m.count || m.inner != Layout::none)
    return one_of(s, m, at, {place.at + m.offset, place.out});
  Value list = value_of(Value::Kind::list);
  const bool places = m.set != Set::none;  // which have names
  for (uint16_t i = 0; i < m.count && try_spend_value(); ++i) {
    Value one = scalar(s, m.kind, places ? Set::none : m.set, widened(m, at + i * m.bytes));
    list.items.push_back(places ? at_place(m.set, i, std::move(one)) : std::move(one));
  }
  list.whole = m.count;
  return list;
}

// Of a counted vector: there are none.
bool is_zero(const Member& m, const uint8_t* bytes) {
  if (m.role == Role::vector && m.length_bytes)
    return !integer(bytes + m.length_at, m.length_bytes);
  const size_t n = m.bytes * std::max<size_t>(m.count, 1);
  return std::all_of(bytes + m.offset, bytes + m.offset + n, [](uint8_t b) { return !b; });
}

}  // namespace

Value name_in(const uint8_t* at, size_t bytes) {
  const char* text = reinterpret_cast<const char*>(at);
  const size_t n = strnlen(text, bytes);
  const bool cut = n == bytes && bytes;
  Value v = value_text(std::string(text, cut ? n - 1 : n));
  v.cut = cut;
  v.path = true;
  return v;
}

bool is_scalar(Layout layout) {
  const Part<Member> members = members_of(layout);
  return members.end() - members.begin() == 1 && !*members.first->name;
}

Value plain(const Scene& s, Layout layout, const uint8_t* bytes, const Place& place, size_t known) {
  const Part<Member> members = members_of(layout);
  if (is_scalar(layout)) return member(s, *members.first, bytes, place);
  Value v = value_of(Value::Kind::structure);
  const bool short_cut = s.depth == Depth::brief && layout == Layout::stat;  // of every other call
  v.items.reserve(
      std::min<size_t>(short_cut ? 4 : 16, static_cast<size_t>(members.end() - members.begin())));
  for (const Member& m : members) {
    if (short_cut && m.show == Show::detail) continue;
    if (!try_spend_value()) return value_address(place.at);
    if (m.offset + m.bytes * std::max<size_t>(m.count, 1) > known) {
      if (m.offset + m.bytes > known || !m.count) continue;
      Member first = m;  // as many of them as are there
      first.count = static_cast<uint16_t>((known - m.offset) / m.bytes);
      v.items.push_back(member(s, first, bytes, place));
      v.items.back().name = Label::kept(m.name);
      continue;
    }
    const bool zero = (m.show >= Show::nonzero || m.kind == Kind::padding) && is_zero(m, bytes);
    if (zero && (m.show == Show::nonzero || m.kind == Kind::padding)) continue;
    v.items.push_back(member(s, m, bytes, place));
    v.items.back().name = Label::kept(m.name);
    v.items.back().detail = m.show == Show::detail || (zero && m.show == Show::notable);
  }
  return v;
}

Value structure(const Scene& s, Layout layout, uint64_t at, uint64_t bytes, bool out) {
  if (!at) return value_address(0);
  const uint64_t size = bytes_of(layout);
  if (size <= 1 && !is_scalar(layout)) return sized_value(s, layout, at, bytes, out);
  std::string buffer(size, '\0');
  // What is behind the part of a sigevent that means something need not be there.
  const uint64_t least = layout == Layout::sigevent ? 32 : size;
  if (s.memory.copy(buffer.data(), at, size, out) < least) return value_address(at);
  const auto* raw = reinterpret_cast<const uint8_t*>(buffer.data());
  if (members_of(layout).empty() || layout == Layout::stat)
    return other_value(s, layout, raw, at, out);
  Value v = plain(s, layout, raw, {at, out});
  v.braced = is_scalar(layout) && v.kind != Value::Kind::list && v.kind != Value::Kind::text;
  return v;
}

}  // namespace sctrace::read
