// io_uring_register: what each of its operations hands over.
#include <fmt/format.h>

#include <algorithm>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

Value operation(uint8_t number) {
  Value v = word(Set::io_uring_ops, number);
  v.base = Value::Base::unsigned_decimal;
  return v;
}

// A descriptor, none, or one that stays as it is.
Value file(const Scene& s, int32_t fd) {
  return fd < -1 ? scalar(s, arch::Kind::key, Set::io_uring_files, static_cast<uint32_t>(fd))
                 : descriptor(s, fd);
}

Value files(const Scene& s, const uint8_t* b) {
  Builder f;
  f.add("offset", value_unsigned(peek<uint32_t>(b)));
  if (const auto n = peek<uint32_t>(b + 4)) f.add("resv", value_hex(n));
  const auto count = static_cast<uint32_t>(s.call.args[3]);
  return f.add("fds", elements(s, Layout::ring_file, peek<uint64_t>(b + 8), count, false)).done();
}

Value restriction(const uint8_t* b) {
  const auto kind = peek<uint16_t>(b);
  const uint8_t what = b[2];
  Value opcode = word(Set::io_uring_restrictions, kind);
  if (kind > 3) opcode.note = what ? fmt::format("op: {:#x}", what) : "op: 0";
  Builder f;
  f.add("opcode", std::move(opcode));
  if (kind == 0) f.add("register_op", word(Set::io_uring_register_ops, what));
  if (kind == 1) f.add("sqe_op", word(Set::io_uring_ops, what));
  if (kind == 2 || kind == 3) f.add("sqe_flags", words(Set::io_uring_sqe_flags, what));
  if (b[3]) f.add("resv", value_hex(b[3]));
  add_reserved(f, "resv2", b + 4, 3);
  return f.done();
}

// A ring's own descriptor, and where among those that it keeps it goes: -1 is the first free one.
Value own(const Scene& s, const uint8_t* b) {
  Builder f;
  f.add("offset", user_value(peek<uint32_t>(b)));
  if (const auto n = peek<uint32_t>(b + 4)) f.add("resv", value_hex(n));
  return f.add("data", descriptor(s, peek<int32_t>(b + 8))).done();
}

bool is_blank(const Scene& s, uint64_t at, uint64_t count) {
  const std::string bytes = s.memory.bytes(at, 16 + 8 * count, false);
  return bytes.find_first_not_of('\0') == std::string::npos;
}

// The question is to be all zeroes: only where it is not there is something to show of it.
Value probe(const Scene& s, uint64_t at, uint64_t count) {
  constexpr uint64_t most = 256;
  if (!at || count > most) return value_address(at);
  Value before = ring_operations(s, at, count, false);
  const bool blank = is_blank(s, at, count);
  if (before.kind == Kind::address || (!s.ok() && !blank)) return before;
  if (!s.ok()) return value_address(at);
  Value after = ring_operations(s, at, count, true);
  if (blank) return after;
  Value change = value_of(Kind::change);
  change.bare = true;
  change.items.push_back(std::move(before));
  change.items.push_back(std::move(after));
  return change;
}

Value named_workers(Value list) {
  uint64_t i = 0;
  for (Value& one : list.items) one = at_place(Set::io_uring_workers, i++, std::move(one));
  return list;
}

// The limits that there were are told in place of those that are asked for.
Value workers(const Scene& s, uint64_t at, uint64_t count) {
  Value before = named_workers(elements(s, Layout::u32, at, count, false));
  if (before.kind != Kind::list || before.items.empty() || before.rest || !s.call.ended)
    return before;
  Value change = value_of(Kind::change);
  change.items.push_back(std::move(before));
  change.items.push_back(s.ok() ? named_workers(elements(s, Layout::u32, at, count, true))
                                : value_address(at));
  return change;
}

}  // namespace

Value ring_operations(const Scene& s, uint64_t at, uint64_t count, bool out) {
  constexpr uint64_t head = 16, each = 8;
  std::string bytes(head + each * std::min<uint64_t>(count, 256), '\0');
  if (!s.memory.whole(bytes.data(), at, bytes.size(), out)) return value_address(at);
  const auto* b = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint64_t told = b[1], shown = out ? std::min(told, count) : count;
  Builder f;
  f.add("last_op", operation(b[0])).add("ops_len", value_unsigned(told));
  if (const auto n = peek<uint16_t>(b + 2)) f.add("resv", value_hex(n));
  add_reserved(f, "resv2", b + 4, 3);
  Value list = value_of(Kind::list);
  for (uint64_t i = 0; i < shown && head + each * (i + 1) <= bytes.size(); ++i) {
    list.items.push_back(plain(s, Layout::ring_operation, b + head + each * i));
    list.items.back().items[0] = named("op", operation(b[head + each * i]));
  }
  list.whole = out ? std::max(told, shown) : shown;
  list.bounded = true;
  return f.add("ops", std::move(list)).done();
}

// Files or buffers and their tags: new ones, or some in place of others.
Value ring_resources(const Scene& s, Layout layout, uint64_t at, uint64_t bytes) {
  constexpr uint64_t known = 32;
  uint8_t b[known];
  if (bytes < known || !s.memory.whole(b, at, known, false)) return value_address(at);
  const bool fresh = layout == Layout::ring_new_files || layout == Layout::ring_new_buffers;
  const uint8_t* places = b + (fresh ? 16 : 8);
  const uint32_t count = peek<uint32_t>(fresh ? b : b + 24);
  const Layout one = layout == Layout::ring_new_files     ? Layout::fd_number
                     : layout == Layout::ring_other_files ? Layout::ring_file
                                                          : Layout::remote_iovec;
  Value data = elements(s, one, peek<uint64_t>(places), count, false);
  Value tags = elements(s, Layout::x64, peek<uint64_t>(places + 8), count, false);
  Builder f;
  if (fresh) {
    f.add("nr", value_unsigned(count))
        .add("flags", words(Set::io_uring_resource_flags, peek<uint32_t>(b + 4)));
    if (const auto n = peek<uint64_t>(b + 8)) f.add("resv2", value_hex(n));
  } else {
    f.add("offset", value_unsigned(peek<uint32_t>(b)));
    if (const auto n = peek<uint32_t>(b + 4)) f.add("resv", value_hex(n));
  }
  f.add("data", std::move(data)).add("tags", std::move(tags));
  if (!fresh) {
    f.add("nr", value_unsigned(count));
    if (const auto n = peek<uint32_t>(b + 28)) f.add("resv2", value_hex(n));
  }
  Value v = f.done();
  if (bytes > known) add_behind(s, v, at, known, bytes, false);
  return v;
}

Value ring_struct(const Scene& s, Layout layout, const uint8_t* b) {
  switch (layout) {
    case Layout::ring_file: return file(s, peek<int32_t>(b));
    case Layout::ring_files: return files(s, b);
    case Layout::ring_restriction: return restriction(b);
    case Layout::ring_own: return own(s, b);
    default: return {};
  }
}

void adapt_ring(const Scene& s, Event& e) {
  constexpr uint32_t asks = 8, affinity = 17, limits = 19, own_descriptors = 20;
  const uint64_t at = s.call.args[2];
  const auto count = static_cast<uint32_t>(s.call.args[3]);
  Value& v = e.args[2];
  switch (static_cast<uint32_t>(s.call.args[1])) {
    case asks: v = probe(s, at, count); break;
    case limits: v = workers(s, at, count); break;
    case affinity:
      if (at && !count) v = value_of(Kind::list);
      break;
    case own_descriptors:  // where they went is told, but not by strace
      if (v.kind == Kind::change) v = Value(std::move(v.items[0]));
      break;
    default: return;
  }
  v.address = at;
}

}  // namespace sctrace::read
