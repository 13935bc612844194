// The attributes of bpf(): a union by command, described by arch/bpf.def.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Kind;
using arch::Layout;
using arch::Set;

namespace {

struct Line {
  const char* name;  // of a command: of the struct that its fields stand in
  uint16_t offset, bytes;
  Kind kind;  // command: this line opens one
  Set set;
  uint64_t after;  // of a command: its number
  bool changes = false;
};
constexpr Line lines[] = {
#define BPF_COMMAND(word, within, known) \
  {within, 0, known, Kind::command, Set::none, arch::fold::value_of(Set::bpf_commands, #word)},
#define FIELD(name, offset, bytes, kind, set, after) \
  {name, offset, bytes, Kind::kind, Set::set, after},
#define CHANGES(name, offset, bytes, kind, set, after) \
  {name, offset, bytes, Kind::kind, Set::set, after, true},
#define BPF_INFO(of, known) {of, 0, known, Kind::structure, Set::none, 0},
#include "arch/bpf.def"
#undef BPF_COMMAND
#undef FIELD
#undef CHANGES
#undef BPF_INFO
};

bool is_head(const Line& line) {
  return line.kind == Kind::command || (line.kind == Kind::structure && !line.offset);
}

Value registers(uint8_t n) { return word(Set::ebpf_registers, n); }

Value code(uint8_t c) {
  Value v = value_of(Value::Kind::either);
  const uint32_t kind = c & 7u;
  v.items.push_back(word(Set::ebpf_class, kind));
  if (kind < 4) {
    v.items.push_back(word(Set::ebpf_size, c & 0x18u));
    v.items.push_back(word(Set::ebpf_mode, c & 0xe0u));
  } else {
    v.items.push_back(word(Set::bpf_source, c & 8u));
    v.items.push_back(
        word(kind == 5 || kind == 6 ? Set::ebpf_jump : Set::ebpf_operation, c & 0xf0u));
  }
  return v;
}

// A pointer to so many bytes of text; up to its nul, if there is one.
Value text_behind(const Scene& s, uint64_t at, uint64_t bytes, bool up_to_nul, bool out = false) {
  if (!at) return value_address(0);
  if (!up_to_nul) return text_at(s, at, bytes, false);
  std::string all = s.memory.bytes(at, bytes, out);
  const size_t nul = all.find('\0');
  if (all.size() < bytes && nul == all.npos) return value_address(at);
  Value v = value_text(all.substr(0, nul));
  v.cut = nul == all.npos;
  return v;
}

Value instructions(const Scene& s, uint64_t at, uint32_t count, bool out) {
  if (!at) return value_address(0);
  Value list = elements(s, Layout::bpf_insn, at, std::min(count, 4096u), out);
  if (list.kind != Value::Kind::list) return list;
  if (count > 4096) list.whole = count;
  list.unknown = "program";  // shown by -v only
  list.number = at;
  return list;
}

Value kernel_version(uint32_t v) {
  Value macro =
      value_macro("KERNEL_VERSION",
                  {value_unsigned(v >> 16), value_unsigned(v >> 8 & 255), value_unsigned(v & 255)});
  macro.numbered = true;
  macro.base = Value::Base::hexadecimal;
  macro.number = v;
  return macro;
}

// A name in so many bytes, the last of them a nul.
Value name_value(const uint8_t* at, size_t bytes) {
  const size_t n = strnlen(reinterpret_cast<const char*>(at), bytes);
  Value v = value_text(std::string(reinterpret_cast<const char*>(at), std::min(n, bytes - 1)));
  v.cut = n == bytes;
  return v;
}

// Some bytes before the call and after it; where it failed, twice the same.
struct Sides {
  std::string before, after;
  bool out;
  const uint8_t* was() const { return reinterpret_cast<const uint8_t*>(before.data()); }
  const uint8_t* is() const { return reinterpret_cast<const uint8_t*>(after.data()); }
};

Value field(const Scene& s, const Line& f, const uint8_t* b, uint64_t bytes) {
  const uint8_t* at = b + f.offset;
  const std::string_view name = f.name;
  if (f.kind == Kind::string) return name_value(at, std::min<uint64_t>(f.bytes, bytes - f.offset));
  if (f.kind == Kind::padding) return bare_bytes(at, f.bytes);
  if (f.bytes == 1) return value_unsigned(*at & 1u);  // a bit
  const uint64_t raw = f.bytes == 8 ? peek<uint64_t>(at) : peek<uint32_t>(at);
  switch (f.kind) {
    case Kind::limit: {  // a node of memory, or none
      Value v = value_unsigned(raw);
      if (raw == 0xffffffff) v.note = "NUMA_NO_NODE";
      return v;
    }
    case Kind::key: return kernel_version(static_cast<uint32_t>(raw));
    case Kind::path: return string_at(s, raw, true);
    case Kind::strings: return string_at(s, raw, false);
    case Kind::buffer:
      if (name == "btf") return text_behind(s, raw, peek<uint32_t>(b + 16), false);
      return text_behind(s, raw, peek<uint32_t>(b + (name == "log_buf" ? 28 : 20)), true);
    case Kind::array: return instructions(s, raw, peek<uint32_t>(b + 4), false);
    default: return scalar(s, f.kind, f.set, raw, f.bytes == 8);
  }
}

// Where the number lies that measures what the kernel fills; 0 where it does not.
size_t measured_at(std::string_view name) {
  constexpr std::pair<std::string_view, size_t> all[] = {
      {"jited_prog_insns", 16},
      {"xlated_prog_insns", 20},
      {"map_ids", 52},
      {"prog_ids", 24},
      {"buf", 12},
  };
  for (const auto& [filled, at] : all)
    if (filled == name) return at;
  return 0;
}

// What the kernel fills. It says how much there was, but fills no more than it was offered.
Value answer(const Scene& s, const Line& f, const Sides& b) {
  const std::string_view name = f.name;
  const uint64_t at = peek<uint64_t>(b.is() + f.offset);
  const size_t by = measured_at(name);
  const uint32_t n = std::min(peek<uint32_t>(b.was() + by), peek<uint32_t>(b.is() + by));
  if (n && !b.out) return value_address(at);  // what was there before says nothing
  if (name == "xlated_prog_insns") return instructions(s, at, n / 8, b.out);
  if (f.kind == Kind::array) return elements(s, Layout::u32, at, n, b.out);
  if (name == "buf") return text_behind(s, at, n, true, true);
  Value text = text_at(s, at, n, b.out);
  if (text.kind != Value::Kind::text || text.rest) return value_address(at);
  text.bare = text.path = true;
  return text;
}

// What is behind the bytes that are known, if it is not all zero.
void add_extra(const Scene& s, Value& v, uint64_t at, uint64_t known, uint64_t bytes, bool out) {
  const std::string rest = s.memory.bytes(at + known, bytes - known, out);
  if (rest.find_first_not_of('\0') == rest.npos) return;
  Value text = value_text(rest);
  text.bare = true;
  text.path = true;  // in whole
  text.note = fmt::format("bytes {}..{}", known, bytes - 1);
  text.detail = true;
  v.items.push_back(named("extra_data", text));
}

}  // namespace

Value instruction_value(const uint8_t* b) {
  return Builder()
      .add("code", code(b[0]))
      .add("dst_reg", registers(b[1] & 15))
      .add("src_reg", registers(b[1] >> 4))
      .add("off", value_number(peek<int16_t>(b + 2)))
      .add("imm", value_hex(peek<uint32_t>(b + 4)))
      .done();
}

namespace {

// What a pointer in a link's attributes leads to: each element as `shown` has it.
template <class Shown>
Value list_behind(const Scene& s, Layout layout, uint64_t at, uint32_t count, Shown shown) {
  Value list = elements(s, layout, at, count, false);
  for (Value& item : list.items) item = shown(item);
  if (list.rest && s.memory.shortened(list.rest, 1, false)) list.rest = 0, list.whole = count;
  return list;
}

// What a link is made with depends on what it is attached to: so many bytes of it are known.
uint64_t add_link(const Scene& s, Value& v, const uint8_t* b) {
  const auto pointer = [&](size_t at) { return peek<uint64_t>(b + at); };
  const auto as_it_is = [](const Value& item) { return item; };
  switch (peek<uint32_t>(b + 8)) {
    case 28: {  // BPF_TRACE_ITER
      const auto map = [&](const Value& item) {
        const auto fd = static_cast<int32_t>(item.number);
        return Builder().add("map", Builder().add("map_fd", descriptor(s, fd)).done()).done();
      };
      const uint32_t count = peek<uint32_t>(b + 24);
      v.items.push_back(named("iter_info", list_behind(s, Layout::s32, pointer(16), count, map)));
      v.items.push_back(named("iter_info_len", value_unsigned(count)));
      return 28;
    }
    case 41:  // BPF_PERF_EVENT
      v.items.push_back(named(
          "perf_event", Builder().add("bpf_cookie", value_hex(peek<uint64_t>(b + 16))).done()));
      return 24;
    case 42: {  // BPF_TRACE_KPROBE_MULTI
      const auto symbol = [&](const Value& item) { return string_at(s, item.number, false); };
      const uint32_t count = peek<uint32_t>(b + 20);
      v.items.push_back(
          named("kprobe_multi",
                Builder()
                    .add("flags", words(Set::bpf_kprobe_flags, peek<uint32_t>(b + 16)))
                    .add("cnt", value_unsigned(count))
                    .add("syms", list_behind(s, Layout::x64, pointer(24), count, symbol))
                    .add("addrs", list_behind(s, Layout::x64, pointer(32), count, as_it_is))
                    .add("cookies", list_behind(s, Layout::x64, pointer(40), count, as_it_is))
                    .done()));
      return 48;
    }
    case 0:  // BPF_CGROUP_INET_INGRESS
      if (!peek<uint32_t>(b + 16)) return 20;
      v.items.push_back(named("target_btf_id", value_unsigned(peek<uint32_t>(b + 16))));
      return 20;
    default: return 16;
  }
}

// A field that is there only where a flag says so: the node of a map, the program that a link had.
bool is_asked_for(const Line& line, const uint8_t* b) {
  const std::string_view name = line.name;
  if (name == "numa_node") return peek<uint32_t>(b + 16) & 4;
  return name != "old_prog_fd" || peek<uint32_t>(b + 8) & 4;
}

constexpr uint64_t most = 4096;  // the kernel takes no more than a page

// So many bytes, and zeros behind them as far as a field may look; without bytes: not all known.
Sides sides(const Scene& s, uint64_t at, uint64_t bytes, bool out) {
  Sides both{s.memory.bytes(at, bytes, false), s.memory.bytes(at, bytes, out), out};
  if (both.before.size() < bytes) both.before.resize(bytes);
  if (both.after.size() < bytes) return {};
  both.before.resize(std::max<size_t>(bytes, 256));
  both.after.resize(std::max<size_t>(bytes, 256));
  return both;
}

Value info(const Scene& s, const Sides& attributes);

Value fields(const Scene& s, const Line* head, const Sides& b, uint64_t bytes) {
  Value v = value_of(Value::Kind::structure);
  const bool told = head->kind == Kind::structure;
  const uint64_t seen = told ? 256 : bytes;  // of a name that is told in part, the rest is empty
  for (const Line* line = head + 1; line != std::end(lines) && !is_head(*line); ++line) {
    if (bytes <= line->after || (!told && !is_asked_for(*line, b.was()))) continue;
    if (line->kind == Kind::structure) {
      v.items.push_back(named(line->name, info(s, b)));
      continue;
    }
    Value now = measured_at(line->name) ? answer(s, *line, b) : field(s, *line, b.is(), seen);
    if (line->changes &&
        b.before.compare(line->offset, line->bytes, b.after, line->offset, line->bytes) != 0) {
      Value change = value_of(Value::Kind::change);
      change.items = {field(s, *line, b.was(), seen), now};
      now = change;
    }
    v.items.push_back(named(line->name, now));
  }
  return v;
}

// What the kernel told of a map or a program: which of them, the descriptor says.
Value info(const Scene& s, const Sides& attributes) {
  const uint64_t at = peek<uint64_t>(attributes.is() + 8);
  const uint64_t bytes = peek<uint32_t>(attributes.is() + 4);
  const std::string of = s.path_of(static_cast<int32_t>(peek<uint32_t>(attributes.is())));
  const Line* head = std::find_if(std::begin(lines), std::end(lines), [&](const Line& line) {
    return line.kind == Kind::structure && is_head(line) && line.name == of;
  });
  if (!at || !bytes || bytes > most || head == std::end(lines)) return value_address(at);
  const Sides b = sides(s, at, bytes, attributes.out);
  if (b.after.empty()) return value_address(at);
  Value v = fields(s, head, b, bytes);
  if (bytes > head->bytes) add_extra(s, v, at, head->bytes, bytes, b.out);
  v.unknown = "program";  // shown by -v only
  v.number = at;
  return v;
}

}  // namespace

Value bpf_attributes(const Scene& s, uint64_t at, uint64_t bytes, bool out) {
  const Line* command = std::find_if(std::begin(lines), std::end(lines), [&](const Line& line) {
    return line.kind == Kind::command && line.after == static_cast<uint32_t>(s.call.args[0]);
  });
  if (command == std::end(lines) || !bytes || bytes > most) return value_address(at);
  const Sides b = sides(s, at, bytes, out);
  if (b.after.empty()) return value_address(at);
  Value v = fields(s, command, b, bytes);
  uint64_t known = command->bytes;
  if (command->after == 28 && bytes > 16) known = add_link(s, v, b.is());  // BPF_LINK_CREATE
  if (*command->name) {
    Value within = value_of(Value::Kind::structure);
    within.items.push_back(named(command->name, v));
    v = within;
  }
  if (bytes > known) add_extra(s, v, at, known, bytes, out);
  return v;
}

}  // namespace sctrace::read
