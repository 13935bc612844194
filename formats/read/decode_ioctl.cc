#include "formats/read/decode_ioctl.h"

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using arch::Turn;
using arch::Way;
using Kind = Value::Kind;

namespace {

Value located(Value v, uint64_t at) {
  v.address = at;
  return v;
}

// One struct, as it was when the kernel read it and grown by what it wrote into it. A field that is
// in both is shown with the value that it had and the one that it has; `again`: with its name
// again, and only if it changed.
Value grown(Value before, Value after, bool again) {
  for (Value& field : after.items) {
    Value* same = nullptr;
    for (Value& old : before.items)
      if (old.name == field.name) same = &old;
    if (!same) {
      before.items.push_back(std::move(field));
      continue;
    }
    if (again && same->number == field.number) continue;
    Value change = value_of(Kind::change);
    change.name = field.name;
    if (!again) field.name.clear();
    Value old = std::move(*same);
    old.name.clear();
    change.items = {std::move(old), std::move(field)};
    *same = std::move(change);
  }
  before.numbered |= after.numbered;
  before.more |= after.more;
  return before;
}

Value request_memory(const Scene& s, Layout layout, uint64_t at, bool out) {
  Value v = partial_struct(s, layout, {at, out});
  return v.kind == Kind::absent ? structure(s, layout, at, 0, out) : v;
}

// A notice of seccomp must be zeroed beforehand: then there is nothing to show of it.
bool is_blank(const Scene& s, Layout layout, uint64_t at) {
  if (layout != Layout::seccomp_notice) return false;
  const std::string bytes = s.memory.bytes(at, bytes_of(layout), false);
  return bytes.find_first_not_of('\0') == std::string::npos;
}

// A search that had too little room is told how much it takes.
Value room_told(const Scene& s, Layout layout, uint64_t at) {
  constexpr int64_t too_small = -75;  // EOVERFLOW
  uint64_t bytes = 0;
  const bool told = layout == Layout::btrfs_found2 && s.call.ended && s.call.result == too_small &&
                    s.memory.whole(&bytes, at + 104, sizeof bytes, true);
  if (!told) return value_address(at);
  Builder f;
  return f.add("buf_size", value_unsigned(bytes)).done();
}

Value both(const Scene& s, const arch::Request& request, uint64_t at) {
  Value before = request_memory(s, request.before, at, false);
  if (before.kind == Kind::address) return before;
  Value after =
      s.ok() ? request_memory(s, request.after, at, true) : room_told(s, request.after, at);
  const bool told = s.ok() || after.kind != Kind::address;
  if (!told && request.turn != Turn::answers) return before;
  if (request.turn == Turn::grows && after.kind == Kind::structure)
    return grown(std::move(before), std::move(after), request.before == Layout::uffd_api);
  if (request.after == Layout::kb_entry_got && after.kind == Kind::address) {
    before.items.push_back(named("kb_value", unreadable()));
    return before;
  }
  if (after.kind == Kind::structure && after.items.empty()) return before;
  if (request.turn == Turn::grows && after.kind == Kind::address) return before;
  if (is_blank(s, request.before, at)) return after;
  Value change = value_of(Kind::change);
  change.bare = true;
  change.items = {std::move(before), std::move(after)};
  return change;
}

Value pointed(const Scene& s, const arch::Request& request, uint64_t at) {
  if (!at) return value_address(0);
  if (request.before == Layout::sg_io) return scsi_command(s, at);
  if (request.before == Layout::unimap_ask) return unicode_table(s, at);
  if (request.before == Layout::v4l2_controls) return video_controls(s, at);
  if (request.way == Way::in) return request_memory(s, request.before, at, false);
  if (request.way == Way::both) return both(s, request, at);
  return s.ok() ? request_memory(s, request.after, at, true) : value_address(at);
}

// The first requests of the PTP clocks say nothing of what their successors keep in reserve.
Value without_reserve(uint32_t number, Value v) {
  namespace r = arch::requests;
  if (number == r::io_PTP_EXTTS_REQUEST || number == r::io_PTP_PEROUT_REQUEST ||
      number == r::io_PTP_PIN_GETFUNC || number == r::io_PTP_PIN_SETFUNC)
    std::erase_if(v.items, [](const Value& field) { return field.name == "rsv"; });
  return v;
}

// SIOCGIFCONF: without a buffer only the length is told; with one, what is in it.
void adapt_configuration(const Scene& s, Value& v) {
  if (v.kind != Value::Kind::structure || v.items.size() < 2) return;
  Value &length = v.items[0], &buffer = v.items[1];
  if (buffer.kind != Value::Kind::change) return;
  const auto settle = [](Value& of, size_t which) {
    if (of.kind != Value::Kind::change) return;
    Value one = of.items[which];
    one.name = of.name;
    of = std::move(one);
  };
  const bool asks = buffer.items[0].kind == Value::Kind::address && !buffer.items[0].number;
  if (asks) settle(length, 1);
  if (asks && buffer.items[1].kind == Value::Kind::address &&
      buffer.items[1].number == buffer.items[0].number)
    settle(buffer, 0);
  else if (!asks && s.ok())
    settle(buffer, 1);
}

}  // namespace

void adapt_ioctl(const Scene& s, Event& e) {
  const uint32_t number = static_cast<uint32_t>(s.call.args[1]);
  const uint64_t raw = s.call.args[2];
  e.args[1] = ioctl_request(number);
  const arch::Request* request = request_of(number);
  if (!request) {
    e.args[2] = undescribed(s, number, raw);
    return;
  }
  if (request->kind == arch::Kind::none)
    e.args[2] = {};
  else if (request->way == Way::none)
    e.args[2] = request_value(s, *request, raw);
  else
    e.args[2] = located(without_reserve(number, pointed(s, *request, raw)), raw);
  if (number == arch::requests::io_SIOCGIFCONF) adapt_configuration(s, e.args[2]);
  if (number == arch::requests::io_PERF_EVENT_IOC_QUERY_BPF && e.args[2].items.size() == 1)
    e.args[2].numbered = true;  // the rest only its end tells
  e.early = request->way == Way::out ? 2 : 3;
}

}  // namespace sctrace::read
