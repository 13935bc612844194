// ptrace: what its rows cannot say. Registers by the set that a note type names, places in struct
// user, and structs of which the kernel fills as much as it is asked for.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "formats/read/structs.h"
#include "formats/read/table.h"
#include "formats/text.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

enum Request : uint64_t { peek_user = 3, poke_user = 6, get_set = 0x4204, set_set = 0x4205 };

// Where things are in struct user of <sys/user.h>; the first 21 are registers, eight bytes each.
struct Part {
  uint64_t at;
  const char* name;
};
constexpr Part parts_of_user[] = {
    {0, "8*R15"},
    {8, "8*R14"},
    {16, "8*R13"},
    {24, "8*R12"},
    {32, "8*RBP"},
    {40, "8*RBX"},
    {48, "8*R11"},
    {56, "8*R10"},
    {64, "8*R9"},
    {72, "8*R8"},
    {80, "8*RAX"},
    {88, "8*RCX"},
    {96, "8*RDX"},
    {104, "8*RSI"},
    {112, "8*RDI"},
    {120, "8*ORIG_RAX"},
    {128, "8*RIP"},
    {136, "8*CS"},
    {144, "8*EFL"},
    {152, "8*RSP"},
    {160, "8*SS"},
    {216, "offsetof(struct user, u_fpvalid)"},
    {224, "offsetof(struct user, i387)"},
    {736, "offsetof(struct user, u_tsize)"},
    {744, "offsetof(struct user, u_dsize)"},
    {752, "offsetof(struct user, u_ssize)"},
    {760, "offsetof(struct user, start_code)"},
    {768, "offsetof(struct user, start_stack)"},
    {776, "offsetof(struct user, signal)"},
    {784, "offsetof(struct user, reserved)"},
    {792, "offsetof(struct user, u_ar0)"},
    {800, "offsetof(struct user, u_fpstate)"},
    {808, "offsetof(struct user, magic)"},
    {816, "offsetof(struct user, u_comm)"},
    {848, "offsetof(struct user, u_debugreg)"},
    {912, "sizeof(struct user)"},
};

Value place_in_user(uint64_t at) {
  const Part* part = std::end(parts_of_user);
  while (part[-1].at > at) --part;
  --part;
  if (part + 1 == std::end(parts_of_user) && at > part->at) return value_address(at);
  Value v = value_of(Kind::word);
  v.base = Value::Base::hexadecimal;
  v.number = at;
  v.text = at == part->at ? part->name : fmt::format("{}+{}", part->name, at - part->at);
  return v;
}

// Registers as the note type orders them; as many as there are whole words of.
Value register_set(const Scene& s, uint64_t type, uint64_t at, uint64_t bytes, bool out) {
  constexpr uint64_t general = 1, floating = 2;
  if ((type != general && type != floating) || !bytes || bytes % 8) return value_address(at);
  const Layout layout = type == general ? Layout::user_regs : Layout::fp_regs;
  const uint64_t most = arch::layout_bytes[static_cast<size_t>(layout)];
  std::string known = s.memory.bytes(at, std::min(bytes, most), out);
  if (known.size() < std::min(bytes, most)) return value_address(at);
  const size_t filled = known.size();
  known.resize(most);
  Value v = plain(s, layout, reinterpret_cast<const uint8_t*>(known.data()), {at, out}, filled);
  v.more = bytes > most;
  return v;
}

struct Vector {
  uint64_t base, length;
};

Value register_vector(const Scene& s, uint64_t type, uint64_t at, bool taken) {
  Vector before, after;
  if (!s.memory.whole(&before, at, sizeof before, false)) return value_address(at);
  if (!s.memory.whole(&after, at, sizeof after, s.ok())) after = before;
  Value length = value_unsigned(before.length);
  if (after.length != before.length) {
    Value change = value_of(Kind::change);
    change.items = {length, value_unsigned(after.length)};
    length = change;
  }
  return Builder()
      .add("iov_base", register_set(s, type, before.base, taken ? after.length : before.length,
                                    taken && s.ok()))
      .add("iov_len", length)
      .done();
}

// A syscall number where another process stopped; its table is ours if it is a 64-bit one.
Value number_there(uint64_t nr, uint32_t machine) {
  constexpr uint32_t x86_64 = 0xc000003e;
  Value v = value_of(Kind::word);
  v.base = Value::Base::unsigned_decimal;
  v.number = nr;
  if (machine == x86_64 && nr < arch::number_limit)
    v.text = std::string("__NR_") + lookup(static_cast<uint32_t>(nr)).name;
  return v;
}

Value failure(int64_t result) {
  Value v = value_of(Kind::word);
  v.number = static_cast<uint64_t>(result);
  v.text = '-' + error_name(-result);
  return v;
}

Value six_words(const uint8_t* at, uint64_t bytes) {
  Value list = value_of(Kind::list);
  for (uint64_t n = 0; n < 6 && 8 * (n + 1) <= bytes; ++n)
    list.items.push_back(value_hex(peek<uint64_t>(at + 8 * n)));
  list.whole = list.items.size();
  return list;
}

}  // namespace

// PTRACE_GET_SYSCALL_INFO: the call's result is how much there was, `bytes` how much was wanted.
Value stop_information(const Scene& s, uint64_t at, uint64_t bytes) {
  enum Stop : uint8_t { entry = 1, leave = 2, seccomp = 3 };
  constexpr uint64_t most = 84, variant = 24;
  const uint64_t filled =
      s.ok() ? std::min({bytes, static_cast<uint64_t>(s.call.result), most}) : 0;
  std::string all = s.memory.bytes(at, filled, true);
  if (!filled || all.size() < filled) return value_address(at);
  all.resize(most);
  const auto* b = reinterpret_cast<const uint8_t*>(all.data());
  Builder f;
  f.add("op", word(Set::ptrace_stops, b[0]));
  if (filled < 8) return f.done();
  const auto machine = peek<uint32_t>(b + 4);
  f.add("arch", word(Set::audit_arch, machine));
  if (filled >= 16) f.add("instruction_pointer", value_address(peek<uint64_t>(b + 8)));
  if (filled >= 24) f.add("stack_pointer", value_address(peek<uint64_t>(b + 16)));
  if (filled < variant + 8) return f.done();
  Builder inner;
  if (b[0] == entry || b[0] == seccomp) {
    inner.add("nr", number_there(peek<uint64_t>(b + variant), machine));
    if (filled >= variant + 16) inner.add("args", six_words(b + 32, filled - 32));
    if (b[0] == seccomp && filled >= 84)
      inner.add("ret_data", value_unsigned(peek<uint32_t>(b + 80)));
    f.add(b[0] == entry ? "entry" : "seccomp", inner.done());
  } else if (b[0] == leave) {
    const auto result = peek<int64_t>(b + variant);
    const bool told = filled >= variant + 9, failed = told && b[variant + 8];
    inner.add("rval", failed ? failure(result) : value_number(result));
    if (told) inner.add("is_error", value_unsigned(b[variant + 8]));
    f.add("exit", inner.done());
  }
  return f.done();
}

// PTRACE_SECCOMP_GET_METADATA: which filter is asked, and its flags are told.
Value seccomp_metadata(const Scene& s, uint64_t at, uint64_t bytes) {
  uint64_t index = 0, flags = 0;
  if (bytes < 8 || !s.memory.whole(&index, at, 8, false)) return value_address(at);
  Builder f;
  f.add("filter_off", value_unsigned(index));
  const uint64_t told = s.ok() ? static_cast<uint64_t>(s.call.result) : 0;
  if (told >= 16 && s.memory.whole(&flags, at + 8, 8, true))
    f.add("flags", words(Set::seccomp_filter_flags, flags, true));
  Value v = f.done();
  v.more = told > 16;
  return v;
}

void adapt_trace(const Scene& s, Event& e) {
  const uint64_t request = s.call.args[0];
  if (e.args[0].text.empty()) e.args[0].number = request;
  if (e.args.size() < 4) return;
  switch (request) {
    case peek_user:
    case poke_user: e.args[2] = place_in_user(s.call.args[2]); return;
    case get_set:
    case set_set:
      if (s.call.args[3])
        e.args[3] = register_vector(s, s.call.args[2], s.call.args[3], request == get_set);
      return;
    default: return;
  }
}

}  // namespace sctrace::read
