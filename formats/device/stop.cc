#include "formats/device/stop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "arch/table.h"
#include "arch/vocabulary.h"
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

// A word of a set, or of one that is a part of it.
bool word_in(arch::Set set, std::string_view text, uint64_t& value, int deep = 0) {
  using arch::fold::Role;
  for (const arch::fold::Word& word : read::words_of(set)) {
    if (word.role == Role::word && text == word.text) return value = word.value, true;
    if (word.role == Role::part && deep < 3 && word_in(word.set, text, value, deep + 1))
      return true;
  }
  return false;
}

bool words_in(arch::Set set, std::string_view text, uint64_t& value) {
  value = 0;
  for (;;) {
    const size_t bar = text.find('|');
    uint64_t one;
    int64_t number;
    if (number_in(text.substr(0, bar), number))
      value |= static_cast<uint64_t>(number);
    else if (word_in(set, text.substr(0, bar), one))
      value |= one;
    else
      return false;
    if (bar == text.npos) return true;
    text.remove_prefix(bar + 1);
  }
}

bool is_text(Kind kind) { return kind == Kind::path || kind == Kind::string; }

std::string argument_of(const arch::Arg& what, const std::string& text, uint32_t n, Instead& made) {
  int64_t number;
  if (text.front() == '"') {
    if (!unquoted(text, made.bytes[n])) return "bytes that are not well quoted";
    if (what.way == arch::Way::none) return "it is no memory";
    if (is_text(what.kind)) made.bytes[n] += '\0';
    made.placed[n] = true;
    return {};
  }
  if (number_in(text, number)) return made.args[n] = static_cast<uint64_t>(number), "";
  if (text == "NULL") return made.args[n] = 0, "";
  if (what.kind == Kind::dirfd && text == "AT_FDCWD")
    return made.args[n] = static_cast<uint64_t>(int64_t{-100}), "";
  if (what.set != arch::Set::none && words_in(what.set, text, made.args[n])) return {};
  return "it can be read, but not written; leave it as it was reported, or write a number";
}

int number_of(std::string_view name) {
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr)
    if (const char* known = read::lookup(nr).name; known && name == known)
      return static_cast<int>(nr);
  return -1;
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
    if (value.kind != Value::Kind::absent) out.push_back(shown(value, options));
  return out;
}

std::string shown_call(const read::Call& call, uint64_t limit) {
  std::string line = read::decode(call).name;
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

std::string shown_siginfo(uint32_t number, const uint8_t* info, size_t bytes) {
  Value value = read::siginfo_value(info, bytes);
  std::erase_if(value.items, [](const Value& v) { return v.name == "si_signo"; });
  return signal_name(number) + ' ' + shown(value, options_for(64));
}

uint64_t extent_of(const read::Call& call, uint32_t argument) {
  const arch::Row& row = read::lookup(call.nr);
  if (argument >= row.arity) return 0;
  const arch::Arg& what = row.args[argument];
  const uint64_t address = call.args[argument];
  if (what.way == arch::Way::none || !address) return 0;
  if (is_text(what.kind)) {
    for (const read::Piece& piece : call.memory)
      if (piece.address == (address & 0xffff'ffff'ffff)) return piece.bytes.size();
    return 0;
  }
  const uint64_t element = what.element ? what.element : 1;
  uint64_t count = 0, bytes = 0;
  if (what.measure == arch::Measure::argument) count = call.args[what.which];
  if (what.kind == Kind::structure && what.measure == arch::Measure::none) count = 1;
  if (what.measure == arch::Measure::result) {  // at most what was offered
    for (uint8_t i = 0; i < row.arity; ++i)
      if (row.args[i].kind == Kind::count) count = call.args[i];
    if (call.ended && call.result >= 0)
      count = std::min(count ? count : ~uint64_t{0}, static_cast<uint64_t>(call.result));
  }
  return __builtin_mul_overflow(count, element, &bytes) ? 0 : bytes;
}

std::string instead_of(const read::Call& call, uint64_t limit, const Command& wish, Instead& made) {
  const int number = number_of(wish.text);
  if (number < 0) return "no word of the protocol and no system call";
  const arch::Row& row = read::lookup(static_cast<uint32_t>(number));
  const bool same = static_cast<uint32_t>(number) == call.nr;
  const std::vector<std::string> before =
      same ? shown_arguments(call, limit) : std::vector<std::string>();
  const size_t wanted = same ? before.size() : row.arity;
  if (wish.arguments.size() != wanted)
    return fmt::format("{} takes {} arguments", wish.text, wanted);
  made = {};
  made.number = static_cast<uint32_t>(number);
  if (same) std::copy(call.args, call.args + 6, made.args);
  size_t room = 0;
  for (uint32_t n = 0; n < wish.arguments.size(); ++n) {
    if (same && wish.arguments[n] == before[n]) continue;
    if (const std::string wrong = argument_of(row.args[n], wish.arguments[n], n, made);
        !wrong.empty())
      return fmt::format("argument {}: {}", n + 1, wrong);
    room += made.placed[n] ? (made.bytes[n].size() + 15) / 16 * 16 : 0;
  }
  return room <= 2048 ? "" : "more than 2048 bytes of new memory; `set` may write more";
}

}  // namespace sctrace::device
