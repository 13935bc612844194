// The attributes of bpf(): a union by command, described by arch/bpf.def.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

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
};
constexpr Line lines[] = {
#define BPF_COMMAND(word, within, known) \
  {within, 0, known, Kind::command, Set::none, arch::fold::value_of(Set::bpf_commands, #word)},
#define FIELD(name, offset, bytes, kind, set, after) \
  {name, offset, bytes, Kind::kind, Set::set, after},
#include "arch/bpf.def"
#undef BPF_COMMAND
#undef FIELD
};

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
Value text_behind(const Scene& s, uint64_t at, uint64_t bytes, bool up_to_nul) {
  if (!at) return value_address(0);
  if (!up_to_nul) return text_at(s, at, bytes, false);
  std::string all = s.memory.bytes(at, bytes, false);
  const size_t nul = all.find('\0');
  if (all.size() < bytes && nul == all.npos) return value_address(at);
  Value v = value_text(all.substr(0, nul));
  v.cut = nul == all.npos;
  return v;
}

Value instructions(const Scene& s, uint64_t at, uint32_t count) {
  if (!at) return value_address(0);
  Value list = elements(s, Layout::bpf_insn, at, std::min(count, 4096u), false);
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

Value field(const Scene& s, const Line& f, const uint8_t* b, uint64_t bytes) {
  const uint8_t* at = b + f.offset;
  const std::string_view name = f.name;
  if (f.kind == Kind::string) return name_value(at, std::min<uint64_t>(f.bytes, bytes - f.offset));
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
    case Kind::array:
      if (name == "insns") return instructions(s, raw, peek<uint32_t>(b + 4));
      // The kernel fills it: what was there before says nothing, but that it has no room does.
      return raw && !peek<uint32_t>(b + 24) ? value_of(Value::Kind::list) : value_address(raw);
    default: return scalar(s, f.kind, f.set, raw, f.bytes == 8);
  }
}

// What is behind the bytes that are known, if it is not all zero.
void add_extra(const Scene& s, Value& v, uint64_t at, uint64_t known, uint64_t bytes) {
  const std::string rest = s.memory.bytes(at + known, bytes - known, false);
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

// What a link is made with depends on what it is attached to: so many bytes of it are known.
uint64_t add_link(Value& v, const uint8_t* b) {
  const auto pointer = [&](size_t at) { return value_address(peek<uint64_t>(b + at)); };
  switch (peek<uint32_t>(b + 8)) {
    case 28:  // BPF_TRACE_ITER
      v.items.push_back(named("iter_info", peek<uint64_t>(b + 16) && !peek<uint32_t>(b + 24)
                                               ? value_of(Value::Kind::list)
                                               : pointer(16)));
      v.items.push_back(named("iter_info_len", value_unsigned(peek<uint32_t>(b + 24))));
      return 28;
    case 41:  // BPF_PERF_EVENT
      v.items.push_back(named(
          "perf_event", Builder().add("bpf_cookie", value_hex(peek<uint64_t>(b + 16))).done()));
      return 24;
    case 42:  // BPF_TRACE_KPROBE_MULTI
      v.items.push_back(
          named("kprobe_multi", Builder()
                                    .add("flags", value_hex(peek<uint32_t>(b + 16)))
                                    .add("cnt", value_unsigned(peek<uint32_t>(b + 20)))
                                    .add("syms", pointer(24))
                                    .add("addrs", pointer(32))
                                    .add("cookies", pointer(40))
                                    .done()));
      return 48;
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

}  // namespace

Value bpf_attributes(const Scene& s, uint64_t at, uint64_t bytes) {
  const Line* line = std::begin(lines);
  while (line != std::end(lines) &&
         (line->kind != Kind::command || line->after != static_cast<uint32_t>(s.call.args[0])))
    ++line;
  constexpr uint64_t most = 4096;  // the kernel takes no more than a page
  if (line == std::end(lines) || !bytes || bytes > most) return value_address(at);
  std::string all = s.memory.bytes(at, bytes, false);
  if (all.size() < bytes) return value_address(at);
  all.resize(std::max<size_t>(all.size(), 256));
  const Line& command = *line;
  const auto* raw = reinterpret_cast<const uint8_t*>(all.data());
  Value v = value_of(Value::Kind::structure);
  for (++line; line != std::end(lines) && line->kind != Kind::command; ++line)
    if (bytes > line->after && is_asked_for(*line, raw))
      v.items.push_back(named(line->name, field(s, *line, raw, bytes)));
  uint64_t known = command.bytes;
  if (command.after == 28 && bytes > 16) known = add_link(v, raw);  // BPF_LINK_CREATE
  if (*command.name) {
    Value within = value_of(Value::Kind::structure);
    within.items.push_back(named(command.name, v));
    v = within;
  }
  if (bytes > known) add_extra(s, v, at, known, bytes);
  return v;
}

}  // namespace sctrace::read
