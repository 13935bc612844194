#include "formats/read/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "formats/read/spending.h"
#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Arg;
using arch::Kind;
using arch::Measure;
using arch::Way;

Arg effective(const Scene& s, uint8_t index) {
  const Arg& a = s.row.args[index];
  if (a.kind != Kind::variant) return a;
  if (!s.command) return {.name = a.name, .kind = Kind::address};
  uint8_t nth = 0;
  for (uint8_t i = 0; i < index; ++i) nth += s.row.args[i].kind == Kind::variant;
  return nth < s.command->count ? s.command->args[nth] : Arg{};
}

namespace {

// Bytes or elements that a measure comes to; what is not known yet is 0.
uint64_t measured(const Scene& s, const Arg& a, bool out) {
  switch (a.measure) {
    case Measure::none:
    case Measure::nul: return 1;
    case Measure::argument: return s.call.args[a.which];
    case Measure::result: return s.ok() ? static_cast<uint64_t>(s.call.result) : 0;
    case Measure::bits: {
      const int32_t n = static_cast<int32_t>(s.call.args[a.which]);
      constexpr int32_t most = 1 << 20;  // preload takes no more
      return n <= 0 ? 0 : (static_cast<uint64_t>(std::min(n, most)) + 63) / 64 * 8;
    }
    case Measure::pages: return (s.call.args[a.which] + 4095) / 4096;
    case Measure::pointed: {
      int32_t before = 0, after = 0;
      if (!s.memory.whole(&before, s.call.args[a.which], 4, false)) return ~0ull;
      if (out && s.memory.whole(&after, s.call.args[a.which], 4, true))
        before = std::min(before, after);
      return before < 0 ? ~0ull : static_cast<uint64_t>(before);
    }
  }
  return 0;
}

// Counts in registers are as wide as the argument that holds them.
uint64_t count_of(const Scene& s, const Arg& a, bool out) {
  const uint64_t n = measured(s, a, out);
  if (a.measure != Measure::argument) return n;
  const Kind by = effective(s, a.which).kind;
  if (by == Kind::number) return static_cast<int32_t>(n) < 0 ? ~0ull : static_cast<uint32_t>(n);
  return by == Kind::unsigned_number ? static_cast<uint32_t>(n) : n;
}

Value text_until_nul(const Scene& s, uint64_t at, size_t most, bool out) {
  bool ended = false;
  std::string text = s.memory.text(at, most, out, ended);
  const bool failed = !ended && text.size() < most && !s.memory.shortened(at, text.size(), out);
  if (!ended && text.size() == most) text.pop_back();
  Value v = value_text(std::move(text));
  v.cut = !ended;
  if (failed) v.rest = at;
  return v;
}

Value strings(const Scene& s, uint64_t at) {
  constexpr size_t longest = 131072;  // MAX_ARG_STRLEN
  Value list = value_of(Value::Kind::list);
  list.bounded = true;
  uint64_t pointer = 0, count = 0;
  for (;; ++count, at += 8) {
    if (!s.memory.whole(&pointer, at, 8, false)) {
      if (!count) return value_address(at);
      list.rest = at;
      break;
    }
    if (!pointer) break;
    list.items.push_back(text_until_nul(s, pointer, longest, false));
  }
  list.whole = count;
  return list;
}

Value memory_value(const Scene& s, const Arg& a, uint64_t at, bool out) {
  const uint64_t n = count_of(s, a, out);
  switch (a.kind) {
    case Kind::path: return string_at(s, at, true);
    case Kind::string: return string_at(s, at, false, out);
    case Kind::buffer: return payload_at(s, at, n, out);
    case Kind::structure: return structure(s, a.layout, at, a.measured_by ? n : a.element, out);
    case Kind::array:
      return elements(s, a.layout, at, a.measured_by ? n : a.element / bytes_of(a.layout), out);
    case Kind::iovec:
      return vectors(s, at, n, out, out ? static_cast<uint64_t>(s.call.result) : ~0ull);
    case Kind::msghdr:
      return message_value(s, at, out, out ? static_cast<uint64_t>(s.call.result) : ~0ull, true);
    case Kind::mmsghdr:
      return messages_value(s, at, a.way == Way::out ? static_cast<uint64_t>(s.call.result) : n,
                            a.way == Way::out);
    case Kind::strings: return strings(s, at);
    default: return value_address(at);
  }
}

Value memory_argument(const Scene& s, const Arg& a, uint64_t at, bool out) {
  Value v = memory_value(s, a, at, out);
  v.address = at;
  if (a.kind == Kind::array && !a.measured_by && v.rest)
    return value_address(at);  // a fixed number: all or nothing
  return v;
}

}  // namespace

Value text_at(const Scene& s, uint64_t at, uint64_t n, bool out) {
  if (!at) return value_address(0);
  if (!n) return value_text("");
  Value v = value_text(s.memory.bytes(at, n, out));
  if (v.text.size() < n && !s.memory.shortened(at, n, out)) v.rest = at;
  v.whole = n;
  return v;
}

Value string_at(const Scene& s, uint64_t at, bool path, bool out) {
  constexpr size_t longest = 4096;  // PATH_MAX
  if (!at) return value_address(0);
  Value v = text_until_nul(s, at, longest, out);
  v.path = path;
  return v;
}

namespace {
constexpr uint64_t few = 8;  // elements that room is made for; mostly there are no more
}

Value elements(const Scene& s, arch::Layout layout, uint64_t at, uint64_t count, bool out) {
  if (!at) return value_address(0);
  Value list = value_of(Value::Kind::list);
  list.bounded = true;
  const uint64_t size = bytes_of(layout);
  if (count > (~0ull - at) / size) return value_address(at);
  list.items.reserve(std::min<uint64_t>(count, few));
  std::string probe(size, '\0');
  for (uint64_t i = 0; i < count; ++i) {
    if (!s.memory.whole(probe.data(), at + i * size, size, out) || !try_spend_value()) {
      if (!i) return value_address(at);
      list.rest = at + i * size;
      break;
    }
    Value one = structure(s, layout, at + i * size, size, out);
    one.braced = false;
    list.items.push_back(std::move(one));
  }
  list.whole = list.items.size();
  return list;
}

Value vectors(const Scene& s, uint64_t at, uint64_t count, bool out, uint64_t filled) {
  if (!at || count > (~0ull - at) / 16) return value_address(at);
  Value list = value_of(Value::Kind::list);
  list.bounded = true;
  uint64_t pair[2];
  constexpr uint64_t most = 1024;  // UIO_MAXIOV
  list.items.reserve(std::min(count, few));
  for (uint64_t i = 0; i < std::min(count, most); ++i) {
    if (!s.memory.whole(pair, at + i * 16, 16, false)) {
      if (!i) return value_address(at);
      list.rest = at + i * 16;
      break;
    }
    Value one = value_of(Value::Kind::structure);
    one.items.reserve(2);
    const uint64_t n = std::min(pair[1], filled);
    if (filled != ~0ull) filled -= n;  // else all are whole
    one.items.push_back(
        named("iov_base", n || !pair[1] || !out ? payload_at(s, pair[0], n, out) : value_text("")));
    if (out && !n && pair[1])
      one.items.back() = named("iov_base", pair[0] ? value_text("") : value_address(0));
    one.items.push_back(named("iov_len", value_unsigned(pair[1])));
    list.items.push_back(std::move(one));
  }
  list.whole = count > most ? count : list.items.size();
  return list;
}

Value argument(const Scene& s, uint8_t index) {
  const Arg a = effective(s, index);
  const uint64_t raw = s.call.args[index];
  if (a.kind == Kind::none) return {};
  if (a.given && !(s.call.args[a.given_by] & a.given)) return {};
  if (a.way == Way::none)
    return scalar(s, a.kind, a.set, a.kind == Kind::device ? raw & 0xffffffff : raw, a.wide);
  if (!raw) return value_address(0);
  if (a.way == Way::in) return memory_argument(s, a, raw, false);
  if (a.kind == Kind::iovec && a.way == Way::out && !s.ok())
    return elements(s, arch::Layout::remote_iovec, raw, count_of(s, a, false), false);
  if (a.kind == Kind::mmsghdr && a.way == Way::in) return memory_argument(s, a, raw, false);
  if (a.way == Way::out) return s.ok() ? memory_argument(s, a, raw, true) : value_address(raw);
  // Lengths and offsets are worth comparing; other things are shown as the call left them.
  const bool compared = a.kind == Kind::array || a.measure == Measure::bits ||
                        is_scalar(a.layout) ||
                        (s.call.nr == arch::nr_select || s.call.nr == arch::nr_pselect6 ||
                         s.call.nr == arch::nr_ppoll);
  const bool asks = s.call.nr == arch::nr_bpf;  // what it asked is worth seeing without an answer
  if (!compared) return s.ok() || asks ? memory_argument(s, a, raw, s.ok()) : value_address(raw);
  Value before = memory_argument(s, a, raw, false);
  if (!s.ok() || before.kind == Value::Kind::address) return before;
  Value change = value_of(Value::Kind::change);
  change.items.reserve(2);
  change.items.push_back(std::move(before));
  change.items.push_back(memory_argument(s, a, raw, true));
  change.bare = a.layout == arch::Layout::s64 || a.layout == arch::Layout::u64;  // offsets
  return change;
}

namespace {
// Files that a call names, for -P: its own arguments, and the descriptors that it waits for.
void add_paths(uint32_t nr, const Value& v, bool knows_files, Event& e) {
  const bool text = v.kind == Value::Kind::text && v.path;
  const bool file = v.kind == Value::Kind::descriptor && knows_files;
  if (text || file) return e.paths.push_back(v.text);
  const bool waits = nr == arch::nr_poll || nr == arch::nr_ppoll || nr == arch::nr_select ||
                     nr == arch::nr_pselect6;
  if (waits)
    for (const Value& item : v.items) add_paths(nr, item, knows_files, e);
}
}  // namespace

Event plain(const Call& call) {
  const arch::Row& row = lookup(call.nr);
  Event e;
  e.pid = call.pid, e.tid = call.tid, e.nr = call.nr;
  e.began = call.began, e.finished = call.finished, e.ended = call.ended, e.result = call.result;
  std::copy(std::begin(call.args), std::end(call.args), e.raw);
  e.argc = call.argc, e.site = call.site, e.trap = call.trap;
  e.name = row.name ? row.name : fmt::format("syscall_{:#x}", call.nr);
  e.returns = row.result != arch::Result::never;
  e.failed = e.error() != 0;
  return e;
}

Event decode(const Call& call, const Files* files, const NetlinkSockets* sockets, Depth depth) {
  values_left = values_most;
  const arch::Row& row = lookup(call.nr);
  const arch::Command* command = nullptr;
  for (uint8_t i = 0; i < row.arity; ++i)
    if (row.args[i].kind == Kind::command)
      command = command_of(call.nr, static_cast<uint32_t>(call.args[i]));
  const int netlink = sockets ? sockets->carried(call) : -1;
  const Scene s{call, row, command, files, Memory(call), netlink, depth};
  Event e = plain(call);
  e.failed = false;  // until it is known what it means here
  bool early = true;
  e.args.reserve(row.arity);
  for (uint8_t i = 0; i < row.arity; ++i) {
    e.args.push_back(row.whole ? argument(s, i) : value_hex(call.args[i]));
    const Arg a = row.whole ? effective(s, i) : Arg{};
    early = early && a.way != Way::out && a.way != Way::both;
    if (early) e.early = e.args.size();
  }
  if (s.coded()) adapt(s, e);
  for (size_t i = call.nr == arch::nr_fsconfig; i < e.args.size(); ++i)
    add_paths(call.nr, e.args[i], files, e);
  if (files && row.arity && row.args[0].kind == Kind::fd)
    e.socket = files->socket(call.pid, static_cast<int32_t>(call.args[0]));
  add_result(s, e);
  if (call.is_moved()) e.made.push_back(decode(call.made(), files, sockets, depth));
  return e;
}

}  // namespace sctrace::read
