#include "formats/ctf_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "arch/table.h"
#include "formats/bytes.h"
#include "formats/phrase.h"
#include "formats/read/table.h"

namespace sctrace::ctf {

using arch::Kind;
using arch::Way;

namespace {

// Where the kernel, and so LTTng, calls a thing otherwise than its manual page does.
std::string kernel_name(std::string_view call) {
  static const std::map<std::string_view, std::string_view> others = {
      {"stat", "newstat"},   {"fstat", "newfstat"},      {"lstat", "newlstat"},
      {"uname", "newuname"}, {"sendfile", "sendfile64"}, {"umount2", "umount"},
  };
  const auto found = others.find(call);
  return std::string(found == others.end() ? call : found->second);
}

std::string kernel_argument(std::string_view call, std::string_view name) {
  if (name == "pathname") return "filename";
  if (name == "dirfd") return "dfd";
  if (name == "sockfd") return "fd";
  if (call == "fcntl" && name == "op") return "cmd";
  if (call == "dup" && name == "oldfd") return "fildes";
  if (call == "socket" && name == "domain") return "family";
  if (call == "splice" && name == "size") return "len";
  if ((call == "readv" || call == "writev" || call.starts_with("pread") ||
       call.starts_with("pwrite")) &&
      name == "iovcnt")
    return "vlen";
  return std::string(name);
}

Type scalar_type(const arch::Arg& a) {
  switch (a.kind) {
    case Kind::number:
    case Kind::fd:
    case Kind::dirfd:
    case Kind::pid:
    case Kind::signal_number:
    case Kind::key: return Type::i32;
    case Kind::unsigned_number:
    case Kind::uid:
    case Kind::gid:
    case Kind::interface: return Type::u32;
    case Kind::octal:
    case Kind::mode:
    case Kind::file_mode: return Type::o32;
    case Kind::hexadecimal:
    case Kind::command: return Type::x32;
    case Kind::flags:
    case Kind::choice:
    case Kind::code: return a.wide ? Type::x64 : Type::x32;
    case Kind::count:
    case Kind::long_unsigned: return Type::u64;
    case Kind::long_number:
    case Kind::offset:
    case Kind::time:
    case Kind::clock_ticks: return Type::i64;
    default: return Type::x64;
  }
}

Shape shape_of(const arch::Row& row) {
  Shape shape;
  for (uint8_t i = 0; i < row.arity; ++i) {
    const arch::Arg& a = row.args[i];
    const std::string name =
        a.name && row.whole ? kernel_argument(row.name, a.name) : fmt::format("arg{}", i);
    if (!row.whole) {
      shape.entry.push_back({Type::x64, name, i});
    } else if (a.kind == Kind::path || a.kind == Kind::string) {
      (a.way == Way::out ? shape.exit : shape.entry).push_back({Type::text, name, i});
    } else if (a.kind == Kind::buffer) {
      auto& fields = a.way == Way::out ? shape.exit : shape.entry;
      fields.push_back({Type::x64, name, i});
      fields.push_back({Type::bytes, name, i});
    } else if (a.way == Way::out) {
      shape.exit.push_back({Type::x64, name, i});
      shape.phrase = true;
    } else {
      shape.entry.push_back({scalar_type(a), name, i});
      shape.phrase = shape.phrase || a.kind >= Kind::structure;
    }
  }
  return shape;
}

std::string integer(int bits, bool is_signed, int base, bool is_text = false) {
  return fmt::format("integer {{ size = {}; align = 8; signed = {}; encoding = {}; base = {}; }}",
                     bits, is_signed ? 1 : 0, is_text ? "UTF8" : "none", base);
}

std::string declared(const Field& field) {
  const auto one = [&](const std::string& type) { return type + " _" + field.name + "; "; };
  switch (field.type) {
    case Type::i32: return one(integer(32, true, 10));
    case Type::u32: return one(integer(32, false, 10));
    case Type::x32: return one(integer(32, false, 16));
    case Type::o32: return one(integer(32, false, 8));
    case Type::i64: return one(integer(64, true, 10));
    case Type::u64: return one(integer(64, false, 10));
    case Type::x64: return one(integer(64, false, 16));
    case Type::text: return one("string");
    case Type::comm: return integer(8, false, 10, true) + " _" + field.name + "[16]; ";
    case Type::bytes:
      return fmt::format("{0} __{1}_length; {2} _{1}_bytes[ __{1}_length ]; ",
                         integer(32, false, 10), field.name, integer(8, false, 16));
  }
  return "";
}

std::string event(uint32_t of, uint32_t id, std::string_view name,
                  const std::vector<Field>& fields) {
  std::string text = fmt::format(
      "event {{ name = \"{}\"; id = {}; stream_id = {}; fields := struct {{ ", name, id, of);
  for (const Field& field : fields) text += declared(field);
  return text + "}; };\n";
}

// What LTTng's `add-context -t callstack-user` adds, and the names, which it leaves to be looked
// up.
std::string callers() {
  return fmt::format(
      " {} __callstack_user_length; {} _callstack_user[ __callstack_user_length ]; string "
      "_callers;",
      integer(32, false, 10), integer(64, false, 16));
}

std::string stream(uint32_t of) {
  return fmt::format(
      "stream {{ id = {};\n"
      "  event.header := struct {{ uint32_t id; uint64_clock_t timestamp; }} align(8);\n"
      "  packet.context := struct {{ uint64_clock_t timestamp_begin; uint64_clock_t "
      "timestamp_end; "
      "uint64_t content_size; uint64_t packet_size; uint64_t packet_seq_num; "
      "uint64_t events_discarded; uint32_t cpu_id; }};\n"
      "  event.context := struct {{ {} _pid; {} _tid; {} _procname[16];{} }};\n}};\n",
      of, integer(32, true, 10), integer(32, true, 10), integer(8, false, 10, true),
      of == with_callers ? callers() : "");
}

std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\')
      all += fmt::format("\\{:03o}", byte);
    else
      all += c;
  }
  return all;
}

std::string uuid_text(const std::string& bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i)
    text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                        static_cast<unsigned char>(bytes[i]));
  return text;
}

std::string head(const Session& s, const Losses& losses) {
  std::string text = fmt::format(
      "/* CTF 1.8 */\n"
      "typealias integer {{ size = 8; align = 8; signed = false; }} := uint8_t;\n"
      "typealias integer {{ size = 32; align = 8; signed = false; }} := uint32_t;\n"
      "typealias integer {{ size = 64; align = 8; signed = false; }} := uint64_t;\n"
      "trace {{ major = 1; minor = 8; uuid = \"{}\"; byte_order = le;\n"
      "  packet.header := struct {{ uint32_t magic; uint8_t uuid[16]; uint32_t stream_id; "
      "uint64_t stream_instance_id; }};\n}};\n",
      uuid_text(uuid_of(s)));
  text += fmt::format(
      "env {{\n  hostname = \"{}\";\n  domain = \"kernel\";\n  sysname = \"Linux\";\n"
      "  kernel_release = \"{}\";\n  kernel_version = \"\";\n  tracer_name = \"lttng-modules\";\n"
      "  tracer_major = 2;\n  tracer_minor = 13;\n  tracer_patchlevel = 0;\n"
      "  producer = \"sctrace 0.1.0\";\n",
      escaped(s.host), escaped(s.kernel));
  for (const Missing& one : missing(losses))
    text += fmt::format("  sctrace_{} = {};\n", one.name, one.count);
  return text + fmt::format(
                    "}};\nclock {{ name = \"monotonic\"; description = \"Monotonic Clock\"; "
                    "freq = 1000000000; offset = {}; }};\n"
                    "typealias integer {{ size = 64; align = 8; signed = false; map = "
                    "clock.monotonic.value; }} "
                    ":= uint64_clock_t;\n",
                    s.wall_offset);
}

}  // namespace

// The same trace has the same one, two traces hardly ever.
std::string uuid_of(const Session& s) {
  uint64_t a = 0xcbf29ce484222325, b = 0x9e3779b97f4a7c15;
  const auto mix = [&](uint64_t value) {
    a = (a ^ value) * 0x100000001b3;
    b = (b + value) * 0x9e3779b97f4a7c15;
    b ^= b >> 29;
  };
  for (const char c : s.host) mix(static_cast<unsigned char>(c));
  mix(s.began), mix(static_cast<uint64_t>(s.wall_offset));
  for (const Program& one : s.programs) mix(one.pid);
  std::string bytes;
  put(bytes, a), put(bytes, b);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  return bytes;
}

const Shape& Shapes::of(uint32_t nr) {
  const auto found = used_.find(nr);
  if (found != used_.end()) return found->second;
  return used_[nr] = shape_of(read::lookup(nr));
}

std::string Shapes::metadata(const Session& session, const Losses& losses, uint32_t classes) const {
  std::string all = head(session, losses);
  for (uint32_t of = 0; of < classes; ++of) add_events(all += stream(of), of);
  return all;
}

void Shapes::add_events(std::string& to, uint32_t of) const {
  using enum Type;
  const auto add = [&](uint32_t id, std::string_view name, const std::vector<Field>& fields) {
    to += event(of, id, name, fields);
  };
  add(sched_switch, "sched_switch",
      {{comm, "prev_comm"},
       {i32, "prev_tid"},
       {i32, "prev_prio"},
       {i64, "prev_state"},
       {comm, "next_comm"},
       {i32, "next_tid"},
       {i32, "next_prio"}});
  add(process_state, "lttng_statedump_process_state",
      {{i32, "tid"},
       {i32, "vtid"},
       {i32, "pid"},
       {i32, "vpid"},
       {i32, "ppid"},
       {i32, "vppid"},
       {comm, "name"},
       {i32, "type"},
       {i32, "mode"},
       {i32, "submode"},
       {i32, "status"},
       {i32, "ns_level"}});
  add(process_fork, "sched_process_fork",
      {{comm, "parent_comm"},
       {i32, "parent_tid"},
       {i32, "parent_pid"},
       {comm, "child_comm"},
       {i32, "child_tid"},
       {i32, "child_pid"}});
  add(process_exec, "sched_process_exec", {{text, "filename"}, {i32, "tid"}, {i32, "old_tid"}});
  add(process_exit, "sched_process_exit", {{comm, "comm"}, {i32, "tid"}, {i32, "prio"}});
  add(signal_deliver, "signal_deliver",
      {{i32, "sig"}, {i32, "errno"}, {i32, "code"}, {text, "siginfo"}});
  add(Id::lost, "sctrace_lost", {{u64, "calls"}});
  const std::vector<Field> raw = {{u32, "id"},   {x64, "arg0"}, {x64, "arg1"}, {x64, "arg2"},
                                  {x64, "arg3"}, {x64, "arg4"}, {x64, "arg5"}};
  add(unknown_entry, "syscall_entry_unknown", raw);
  add(unknown_exit, "syscall_exit_unknown", {{u32, "id"}, {i64, "ret"}});
  for (const auto& [nr, shape] : std::map(used_.begin(), used_.end())) {
    const std::string name = kernel_name(read::lookup(nr).name);
    add(first_call + 2 * nr, "syscall_entry_" + name, shape.entry);
    std::vector<Field> exit = {{i64, "ret"}};
    exit.insert(exit.end(), shape.exit.begin(), shape.exit.end());
    if (shape.phrase) exit.push_back({text, "call"});
    add(first_call + 2 * nr + 1, "syscall_exit_" + name, exit);
  }
}

}  // namespace sctrace::ctf
