// Attributes: of files (file_getattr, file_setattr), extended ones by their *at calls, and those
// that security modules keep of a process.
#include <algorithm>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

constexpr uint64_t page = 4096;  // no struct is longer

// A nul at the end of a value says no more than the closing quote.
Value attribute_value(const Scene& s, uint64_t at, uint64_t n, bool out) {
  constexpr uint64_t most = 65536;  // XATTR_SIZE_MAX
  if (n > most) return value_address(at);
  Value v = text_at(s, at, n, out);
  if (v.kind == Kind::text && v.whole == v.text.size() && v.text.ends_with('\0'))
    v.text.pop_back(), --v.whole;
  return v;
}

// struct lsm_ctx; `n`: so many bytes from its beginning on are there.
Value context(const Scene& s, uint64_t at, uint64_t n, bool out) {
  constexpr uint64_t head = 32;
  uint8_t b[head];
  if (n < head || !s.memory.whole(b, at, head, out)) return value_address(at);
  const uint64_t length = peek<uint64_t>(b + 16), text = peek<uint64_t>(b + 24);
  Builder f;
  f.add("id", word(Set::lsm_ids, peek<uint64_t>(b), true))
      .add("flags", value_hex(peek<uint64_t>(b + 8)))
      .add("len", value_unsigned(length))
      .add("ctx_len", value_unsigned(text));
  const uint64_t here = std::min(length, n);
  const uint64_t kept = std::min(text, here > head ? here - head : 0);
  if (!kept) return f.done();
  Value bytes = text_at(s, at + head, kept, out);
  bytes.bare = true;  // bytes, not text
  return f.add("ctx", bytes).done();
}

}  // namespace

Value extended_attribute(const Scene& s, uint64_t at, uint64_t bytes) {
  constexpr uint64_t known = 16;
  uint8_t b[known];
  if (bytes < known || !s.memory.whole(b, at, known, false)) return value_address(at);
  const uint64_t value = peek<uint64_t>(b);
  const uint32_t size = peek<uint32_t>(b + 8);
  const bool sets = s.call.nr == arch::nr_setxattrat;
  Builder f;
  if (sets)
    f.add("value", attribute_value(s, value, size, false));
  else
    f.add("value", size && s.ok()
                       ? attribute_value(s, value, static_cast<uint64_t>(s.call.result), true)
                       : value_address(value));
  f.add("size", value_unsigned(size)).add("flags", words(Set::xattr_flags, peek<uint32_t>(b + 12)));
  Value v = f.done();
  if (bytes > known) add_behind(s, v, at, known, bytes, false);
  return v;
}

Value file_attributes(const Scene& s, uint64_t at, uint64_t bytes, bool out) {
  constexpr uint64_t known = 24;
  uint8_t b[known];
  if (bytes < known || bytes > page || !s.memory.whole(b, at, known, out)) return value_address(at);
  Builder f;
  f.add("fa_xflags", words(Set::fs_xflags, peek<uint64_t>(b), true))
      .add("fa_extsize", value_unsigned(peek<uint32_t>(b + 8)));
  if (out) f.add("fa_nextents", value_unsigned(peek<uint32_t>(b + 12)));
  f.add("fa_projid", value_hex(peek<uint32_t>(b + 16)))
      .add("fa_cowextsize", value_unsigned(peek<uint32_t>(b + 20)));
  Value v = f.done();
  if (bytes > known) add_behind(s, v, at, known, bytes, out);
  return v;
}

// One is set, several are told, one behind the other.
Value security_contexts(const Scene& s, uint64_t at, uint64_t bytes, bool out) {
  if (s.call.nr == arch::nr_lsm_set_self_attr)
    return context(s, at, static_cast<uint32_t>(bytes), out);
  constexpr uint64_t head = 32;
  Value list = value_of(Kind::list);
  list.bounded = true;
  for (uint64_t n = bytes;;) {
    Value one = context(s, at, n, out);
    if (one.kind == Kind::address) {
      if (list.items.empty()) return one;
      list.rest = at;
      break;
    }
    list.items.push_back(std::move(one));
    uint64_t length = 0;
    if (!s.memory.whole(&length, at + 16, sizeof length, out) || length < head || length >= n)
      break;
    at += length, n -= length;
  }
  list.whole = list.items.size();
  return list;
}

// Asked for those of one module, whose number is read; and how much there is, is told even where
// there is no room for it.
void adapt_security_context(const Scene& s, Event& e) {
  constexpr uint64_t single = 1;  // LSM_FLAG_SINGLE
  const uint64_t at = s.call.args[1];
  if (!s.call.args[2] || e.args[2].kind == Kind::address) e.args[1] = value_address(at);
  uint64_t id = 0;
  e.early = s.call.args[3] & single ? 1 : e.early;
  if (e.args[2].kind == Kind::address || !(s.call.args[3] & single) ||
      !s.memory.whole(&id, at, sizeof id, false))
    return;
  Value change = value_of(Kind::change);
  change.items = {Builder().add("id", word(Set::lsm_ids, id, true)).done(), e.args[1]};
  e.args[1] = change;
}

void adapt_security_size(const Scene& s, Event& e, size_t index) {
  constexpr int64_t too_big = -7;  // E2BIG
  uint32_t before = 0, after = 0;
  const uint64_t at = s.call.args[index];
  if (!s.call.ended || s.call.result != too_big || !s.memory.whole(&before, at, 4, false) ||
      !s.memory.whole(&after, at, 4, true))
    return;
  Value change = value_of(Kind::change);
  change.items = {value_unsigned(before), value_unsigned(after)};
  change.items[0].braced = change.items[1].braced = true;
  e.args[index] = change;
}

}  // namespace sctrace::read
