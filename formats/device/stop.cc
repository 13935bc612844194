#include "formats/device/stop.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>

#include "arch/table.h"
#include "formats/device/placed.h"
#include "formats/device/rewrite.h"
#include "formats/read/decode.h"
#include "formats/read/ring_reader_record.h"
#include "formats/read/structs.h"
#include "formats/read/table.h"
#include "formats/text.h"

namespace sctrace::device {

using arch::Kind;

namespace {

void take_entry(const uint8_t* record, read::Call& call) {
  wire::Entry entry;
  std::memcpy(static_cast<void*>(&entry), record, sizeof entry);
  const uint8_t* at = record + sizeof entry;
  if (entry.header.flags & wire::entry_far) std::memcpy(&call.site, at, 8), at += 8;
  call.argc = static_cast<uint8_t>(entry.site >> wire::argc_shift);
  for (uint8_t n = 0; n < call.argc; ++n) {
    const size_t bytes = entry.header.flags >> n & 1 ? 8 : 4;
    std::memcpy(&call.args[n], at, bytes);
    at += bytes;
  }
  call.nr = entry.nr;
  if (entry.nr == wire::nr_escape) std::memcpy(&call.nr, at, 4);
}

void take_data(const uint8_t* record, read::Call& call) {
  wire::Data data;
  std::memcpy(static_cast<void*>(&data), record, sizeof data);
  read::Piece& piece = call.memory.emplace_back();
  piece.address = data.where & 0xffff'ffff'ffff;
  piece.wanted = data.wanted;
  piece.cut = data.flags & wire::data_cut;
  piece.fault = data.flags & wire::data_fault;
  piece.bytes.assign(record + sizeof data, record + sizeof data + (data.where >> 48));
}

TextOptions options_for(uint64_t limit) {
  TextOptions options;
  options.strsize = limit;
  options.verbose = true;
  return options;
}

bool is_text(Kind kind) { return kind == Kind::path || kind == Kind::string; }

// How many elements lie there, at most: before the call, what was offered.
uint64_t measured(const read::Scene& s, const arch::Arg& what) {
  const uint64_t by = s.call.args[what.which];
  switch (what.measure) {
    case arch::Measure::none: return what.kind == Kind::structure || what.kind == Kind::array;
    case arch::Measure::argument: return by;
    case arch::Measure::pages: return (by + 4095) / 4096;
    case arch::Measure::bits: return (by % 0x8000'0000 + 63) / 64 * 8;
    case arch::Measure::pointed: {
      uint32_t n = 0;
      return s.memory.whole(&n, by, sizeof n, false) ? n : 0;
    }
    case arch::Measure::nul: return 0;
    case arch::Measure::result: break;
  }
  uint64_t offered = 0;
  for (uint8_t i = 0; i < s.row.arity; ++i)
    if (s.row.args[i].kind == Kind::count) offered = s.call.args[i];
  if (!s.ok()) return offered;
  const auto came = static_cast<uint64_t>(s.call.result);
  return offered ? std::min(offered, came) : came;
}

}  // namespace

bool call_in(const uint8_t* records, size_t bytes, read::Call& call) {
  bool begun = false;
  for (size_t at = 0; at + sizeof(wire::Header) <= bytes;) {
    wire::Header header;
    std::memcpy(static_cast<void*>(&header), records + at, sizeof header);
    const size_t size = header.units * size_t{8};
    if (!size || size > bytes - at || read::wrong_with(header, records + at)) return false;
    if ((header.type == wire::Type::entry) == begun) return false;
    if (header.type == wire::Type::entry)
      take_entry(records + at, call), begun = true;
    else if (header.type == wire::Type::data)
      take_data(records + at, call);
    at += size;
  }
  return begun;
}

std::vector<std::string> shown_arguments(const read::Call& call, uint64_t limit) {
  std::vector<std::string> out;
  const TextOptions options = options_for(limit);
  for (const Value& value : read::decode(call).args)
    if (value.kind != Value::Kind::absent)
      out.push_back((value.name.empty() ? "" : value.name + "=") + shown(value, options));
  return out;
}

std::string shown_call(const read::Call& call, uint64_t limit) {
  std::string line = read::plain(call).name;
  const char* between = " ";
  for (const std::string& text : shown_arguments(call, limit)) {
    line += between + text;
    between = ", ";
  }
  return line;
}

std::string shown_outcome(int64_t result) {
  if (result >= 0 || result < -4095) return fmt::format("ok {}", result);
  const std::string name = errno_name(-result);
  return name.empty() ? fmt::format("fail {}", -result) : "fail " + name;
}

std::string shown_siginfo(uint32_t number, std::string_view info) {
  uint8_t whole[128] = {};
  std::memcpy(whole, info.data(), std::min(info.size(), sizeof whole));
  Value value = read::siginfo_value(whole, sizeof whole);
  std::erase_if(value.items, [](const Value& v) { return v.name == "si_signo"; });
  return signal_name(number) + ' ' + shown(value, options_for(64));
}

uint64_t extent_of(const read::Call& call, uint32_t argument) {
  const arch::Row& row = read::lookup(call.nr);
  const arch::Command* command = nullptr;
  for (uint8_t i = 0; i < row.arity; ++i)
    if (row.args[i].kind == Kind::command)
      command = read::command_of(call.nr, static_cast<uint32_t>(call.args[i]));
  if (argument >= row.arity || !call.args[argument]) return 0;
  const read::Scene scene{call, row, command, nullptr, read::Memory(call)};
  const arch::Arg what = read::effective(scene, static_cast<uint8_t>(argument));
  if (what.way == arch::Way::none) return 0;
  if (what.kind == Kind::msghdr) return sizeof(msghdr);
  if (is_text(what.kind) || what.kind == Kind::strings) {
    for (const read::Piece& piece : call.memory)
      if (piece.address == (call.args[argument] & 0xffff'ffff'ffff)) return piece.bytes.size();
    return 0;
  }
  const uint64_t element = what.kind == Kind::iovec     ? sizeof(iovec)
                           : what.kind == Kind::mmsghdr ? sizeof(mmsghdr)
                           : what.element               ? what.element
                                                        : 1;
  uint64_t bytes = 0;
  return __builtin_mul_overflow(measured(scene, what), element, &bytes) ? 0 : bytes + what.head;
}

std::string make(read::Call& call, const Command& wish) {
  read::Call made = call;
  made.nr = wish.number;
  std::copy(wish.args, wish.args + 6, made.args);
  std::vector<uint64_t> places;
  for (const Command::Block& block : wish.blocks) places.push_back(place(made, block.bytes));
  for (size_t i = 0; i < places.size(); ++i) {
    if (wish.blocks[i].argument) made.args[wish.blocks[i].argument - 1] = places[i];
    for (const auto& [where, to] : wish.blocks[i].pointers)
      for (read::Piece& piece : made.memory)
        if (piece.address == places[i])
          std::memcpy(piece.bytes.data() + where, &places[to], sizeof places[to]);
  }
  if (!fits(made)) return "more than 2048 bytes of new memory, or 48 pointers in it";
  drop_unused(made);
  call = std::move(made);
  return {};
}

}  // namespace sctrace::device
