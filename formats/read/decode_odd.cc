// What some calls show beyond their rows, because strace looks at more than the argument itself: at
// flags that make others meaningless, lengths that the kernel refuses, words in numbers' clothes.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "formats/read/structs.h"
#include "formats/text.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

namespace {

// Which of the arguments mean something, the flags say.
void adapt_mount(const Scene& s, Event& e) {
  constexpr uint64_t remount = 0x20, bind = 0x1000, move = 0x2000;
  constexpr uint64_t propagation = 0xe0000 | 0x100000;  // unbindable, private, slave, shared
  const uint64_t flags = s.call.args[3];
  const bool old_magic = (flags & 0xffff0000) == 0xc0ed0000;
  const uint64_t meant = old_magic ? flags & 0xffff : flags;
  if (old_magic) {
    Value magic = value_of(Kind::word);
    magic.base = Value::Base::hexadecimal;
    magic.number = 0xc0ed0000;
    magic.text = "MS_MGC_VAL";
    e.args[3] = value_of(Kind::either);
    e.args[3].items.push_back(magic);
    if (meant) e.args[3].items.push_back(words(Set::mount_flags, meant, true));
  }
  if (meant & (remount | bind | move | propagation)) e.args[2] = value_address(s.call.args[2]);
  if (meant & (bind | move | propagation) && !(meant & remount))
    e.args[4] = value_address(s.call.args[4]);
}

// Some actions look at no buffer, and one at the number alone.
void adapt_syslog(const Scene& s, Event& e) {
  const int32_t action = static_cast<int32_t>(s.call.args[0]);
  const auto numbered = [](Set set, uint64_t raw) {
    Value v = word(set, raw & 0xffffffff);
    v.base = Value::Base::decimal;
    v.number = static_cast<uint64_t>(int64_t{static_cast<int32_t>(raw)});
    v.numbered = true;
    return v;
  };
  e.args[0] = numbered(Set::syslog_actions, s.call.args[0]);
  const bool bare =
      action == 0 || action == 1 || (action >= 5 && action <= 7) || action == 9 || action == 10;
  if (bare) e.args[1] = e.args[2] = {};
  const bool reads = action >= 2 && action <= 4;
  if (!bare && !reads) e.args[1] = value_address(s.call.args[1]);
  if (action != 8) return;
  e.args[1] = value_address(s.call.args[1]);
  e.args[2] = numbered(Set::syslog_levels, s.call.args[2]);
}

// Without an address nobody looks at its length.
void adapt_peer(const Scene& s, Event& e, size_t address, size_t length) {
  if (!s.call.args[address]) e.args[length] = value_address(s.call.args[length]);
}

// The kernel takes no longer name, so nobody reads it.
void adapt_host_name(const Scene& s, Event& e) {
  constexpr uint32_t most = 64;
  if (static_cast<uint32_t>(s.call.args[1]) > most) e.args[0] = value_address(s.call.args[0]);
}

// A set of no bytes is empty, wherever it is.
void empty_if_none(const Scene& s, Event& e, size_t set, uint64_t length) {
  if (s.call.args[set] && !length) e.args[set] = value_of(Kind::list);
}

// Unknown flags stay bare; the permissions follow them, after a bar only if a flag has a name.
void adapt_get(const Scene& s, Event& e, size_t index, bool always_bar) {
  const uint32_t raw = static_cast<uint32_t>(s.call.args[index]);
  Value& v = e.args[index];
  bool known = false;
  for (const Value& item : v.items) known |= item.kind == Kind::word || item.kind == Kind::shifted;
  if (v.kind != Kind::words || known || !(raw & ~0777u)) return;
  Value both = value_of(Kind::either);
  both.items = {value_hex(raw & ~0777u), value_number(raw & 0777, Value::Base::mode)};
  both.number = raw;
  if (!always_bar) {  // "0x1000" and "000" run into each other
    both = value_of(Kind::word);
    both.text = fmt::format("{:#x}{:03o}", raw & ~0777u, raw & 0777);
    both.bare = true;
    both.number = raw;
  }
  v = both;
}

// "1<<CAP_CHOWN|…": bits by the numbers of their names.
Value capability_bits(uint32_t low, uint32_t high) {
  Value v = value_of(Kind::words);
  v.base = Value::Base::hexadecimal;
  v.number = low | uint64_t{high} << 32;
  v.unknown = "CAP_???";
  uint32_t rest = high;
  for (uint32_t i = 0; i < 64; ++i) {
    const char* name = v.number >> i & 1 ? word_text(Set::capabilities, i) : nullptr;
    if (!name) continue;
    Value one = value_of(Kind::word);
    one.text = std::string("1<<") + name;
    one.number = uint64_t{1} << i;
    v.items.push_back(one);
    if (i >= 32) rest &= ~(1u << (i - 32));
  }
  if (rest) v.items.push_back(value_hex(rest));
  return v;
}

// One pair of words for three versions: how many structs there are, the header says.
void adapt_capabilities(const Scene& s, Event& e) {
  uint32_t version = 0, data[6] = {};
  const uint64_t at = s.call.args[1];
  if (!at) return;
  const bool out = s.call.nr == arch::nr_capget;
  if (out && !s.ok()) return;
  const bool headed = s.call.args[0] && s.memory.whole(&version, s.call.args[0], 4, false) &&
                      s.memory.has(s.call.args[0] + 7, false);
  constexpr uint32_t second = 0x20071026, third = 0x20080522;
  const size_t n = version == second || version == third ? 2 : 1;
  if (!headed || !s.memory.whole(data, at, n * 12, out)) {
    e.args[1] = value_address(at);
    return;
  }
  e.args[1] = value_of(Kind::structure);
  e.args[1].address = at;
  static constexpr const char* names[] = {"effective", "permitted", "inheritable"};
  for (size_t i = 0; i < 3; ++i)
    e.args[1].items.push_back(named(names[i], capability_bits(data[i], n > 1 ? data[i + 3] : 0)));
}

// Which policy, unless a node was asked for; and the nodes, whatever became of the call.
void adapt_policy_asked(const Scene& s, Event& e) {
  int32_t mode = 0;
  if (s.call.args[0] && s.ok() && s.memory.whole(&mode, s.call.args[0], 4, true)) {
    e.args[0] = word(Set::mempolicy_modes, static_cast<uint32_t>(mode));
    e.args[0].braced = true;
    e.args[0].address = s.call.args[0];
  }
  empty_if_none(s, e, 1, s.call.args[2]);
}

// How much room there was, and how much it takes; the rest only where there is one.
void adapt_handle(const Scene& s, Event& e) {
  constexpr int64_t too_small = -75;  // EOVERFLOW
  uint32_t before = 0, after = 0;
  const uint64_t at = s.call.args[2];
  if (!s.memory.whole(&before, at, 4, false) || !s.memory.has(at + 7, false)) return;
  const bool told = s.ok() || (s.call.ended && s.call.result == too_small);
  Value handle =
      s.ok() ? structure(s, arch::Layout::file_handle, at, 8, true) : value_of(Kind::structure);
  if (handle.kind != Kind::structure) return;
  Value room = value_unsigned(before);
  if (told && s.memory.whole(&after, at, 4, true) && after != before) {
    room = value_of(Kind::change);
    room.items = {value_unsigned(before), value_unsigned(after)};
  }
  room = named("handle_bytes", room);
  if (handle.items.empty())
    handle.items.push_back(room);
  else
    handle.items[0] = room;
  e.args[2] = handle;
}

// Descriptors of two processes are compared; of an epoll one, what it watches.
void adapt_comparison(const Scene& s, Event& e) {
  constexpr uint32_t files = 0, watched = 7;
  const uint32_t type = static_cast<uint32_t>(s.call.args[2]);
  const auto of = [&](size_t process, int32_t fd) {
    return descriptor(s, fd, static_cast<uint32_t>(s.call.args[process]));
  };
  if (!s.command)
    for (size_t i = 3; i < 5; ++i) e.args[i] = value_hex(s.call.args[i]);
  if (type == files || type == watched) e.args[3] = of(0, static_cast<int32_t>(s.call.args[3]));
  if (type == files) e.args[4] = of(1, static_cast<int32_t>(s.call.args[4]));
  uint8_t slot[12];
  if (type != watched || !s.memory.whole(slot, s.call.args[4], sizeof slot, false)) return;
  e.args[4] = value_of(Kind::structure);
  e.args[4].address = s.call.args[4];
  e.args[4].items = {named("efd", of(1, peek<int32_t>(slot))),
                     named("tfd", of(1, peek<int32_t>(slot + 4))),
                     named("toff", value_unsigned(peek<uint32_t>(slot + 8)))};
}

// How long to wait at most, and what was left of it.
void adapt_receive_many(const Scene& s, Event& e) {
  const uint64_t at = s.call.args[4];
  if (!at || !s.call.ended) return;
  e.args[4] = structure(s, arch::Layout::timespec, at, 16, false);
  e.args[4].address = at;
  if (!s.ok()) return;
  if (s.call.result == 0)
    e.after.push_back(named("Timeout", {}));
  else
    e.after.push_back(named("left", structure(s, arch::Layout::timespec, at, 16, true)));
}

// A size that the kernel takes not at all is all that it looks at; then it says its own.
void adapt_scheduling(const Scene& s, Event& e) {
  constexpr uint32_t first = 48, known = 56;  // SCHED_ATTR_SIZE_VER0, _VER1
  constexpr int64_t too_big = -7;             // E2BIG
  const uint64_t at = s.call.args[1];
  uint8_t b[known] = {};
  e.args[1] = value_address(at);
  if (!at || !s.memory.whole(b, at, 4, false)) return;
  const uint32_t told = peek<uint32_t>(b), size = told ? told : first, n = std::min(size, known);
  if (n >= first && !s.memory.whole(b, at, n, false)) return;
  Value given =
      n < first ? Builder().add("size", value_unsigned(told)).done() : scheduling(b, true);
  given.numbered = size > n;
  uint32_t wanted = 0;
  e.args[1] = std::move(given);
  e.args[1].address = at;
  if (!s.call.ended || s.call.result != too_big || !s.memory.whole(&wanted, at, 4, true)) return;
  Value change = value_of(Kind::change);
  change.address = at;
  change.items.push_back(std::move(e.args[1]));
  change.items.push_back(Builder().add("size", value_unsigned(wanted)).done());
  e.args[1] = std::move(change);
}

// A descriptor of the process that the first one stands for.
void adapt_foreign_descriptor(const Scene& s, Event& e) {
  if (!s.files) return;
  const uint32_t of = s.files->process_behind(s.call.pid, static_cast<int32_t>(s.call.args[0]));
  if (of) e.args[1] = descriptor(s, static_cast<int32_t>(s.call.args[1]), of);
}

// Of a message that did not come, how long a name was awaited.
void adapt_message(const Scene& s, Event& e) {
  uint8_t header[56];
  if (s.ok() || !s.call.ended || !s.memory.whole(header, s.call.args[1], sizeof header, false))
    return;
  e.args[1] = value_of(Kind::structure);
  e.args[1].items.push_back(named("msg_namelen", value_number(peek<int32_t>(header + 8))));
}

}  // namespace

// What the kernel reads at most of a name; longer ones it does not look at the end of.
void shorten(Value& v, size_t most) {
  if (v.kind != Kind::text || v.text.size() < most) return;
  v.text.resize(most);
  v.whole = most;
  v.rest = 0;
  v.cut = true;
}

// The size of its pages, by powers of two, is among the flags, and the permissions.
void adapt_segment(const Scene& s, Event& e) {
  constexpr uint32_t pages = 0xfc000000, permissions = 0777, shift = 26;
  const auto raw = static_cast<uint32_t>(s.call.args[2]);
  if (!(raw & pages)) return adapt_get(s, e, 2, true);
  const uint32_t flags = raw & ~(pages | permissions);
  Value& v = e.args[2] = value_of(Kind::either);
  v.number = raw;
  if (flags) {
    Value named_ones = words(Set::shmget_flags, flags);
    std::erase_if(named_ones.items,
                  [](const Value& item) { return item.base == Value::Base::mode; });
    named_ones.unknown.clear();
    v.items.push_back(std::move(named_ones));
  }
  Value size = value_of(Kind::shifted);
  size.items = {value_unsigned(raw >> shift)};
  size.number = shift;
  size.text = "SHM_HUGE_SHIFT";
  v.items.push_back(size);
  v.items.push_back(value_number(raw & permissions, Value::Base::mode));
}

// Its frame lies where the stack pointer leads, and is no argument.
void adapt_return(const Scene& s, Event& e) {
  if (s.call.memory.empty() || !e.args.empty()) return;
  Builder frame;
  frame.add("mask", structure(s, arch::Layout::sigset, s.call.memory.front().address, 8, false));
  e.args.push_back(frame.done());
}

void adapt_odd(const Scene& s, Event& e) {
  using namespace arch;
  const auto low = [&](int i) { return static_cast<uint32_t>(s.call.args[i]); };
  switch (s.call.nr) {
    case nr_mount: return adapt_mount(s, e);
    case nr_rt_sigreturn: return adapt_return(s, e);
    case nr_epoll_pwait2:  // looked at when it has come back
      if (!s.ok())
        e.args[3] = value_address(s.call.args[3]), e.args[4] = value_address(s.call.args[4]);
      return;
    case nr_syslog: return adapt_syslog(s, e);
    case nr_accept:
    case nr_accept4:
    case nr_getsockname:
    case nr_getpeername: return adapt_peer(s, e, 1, 2);
    case nr_recvfrom:
      if (s.ok() && static_cast<uint64_t>(s.call.result) > s.call.args[2])  // MSG_TRUNC
        e.args[1] = payload_at(s, s.call.args[1], s.call.args[2], true);
      return adapt_peer(s, e, 4, 5);
    case nr_recvmsg: return adapt_message(s, e);
    case nr_recvmmsg: return adapt_receive_many(s, e);
    case nr_keyctl: return adapt_key(s, e);
    case nr_io_uring_register: return adapt_ring(s, e);
    case nr_sched_setattr: return adapt_scheduling(s, e);
    case nr_ptrace: return adapt_trace(s, e);
    case nr_memfd_create: return shorten(e.args[0], 250);
    case nr_modify_ldt:
      if (s.call.args[2] != 16) e.args[1] = value_address(s.call.args[1]);
      return;
    case nr_name_to_handle_at: return adapt_handle(s, e);
    case nr_open_by_handle_at:
      e.args[0] = descriptor(s, static_cast<int32_t>(s.call.args[0]));
      return;
    case nr_mq_getsetattr:  // where mq_open() has a plain number
      for (size_t i = 1; i < 3; ++i)
        if (e.args[i].kind == Kind::structure && !e.args[i].items.empty())
          e.args[i].items[0] =
              named("mq_flags", words(Set::mq_flags, e.args[i].items[0].number, true));
      return;
    case nr_kcmp: return adapt_comparison(s, e);
    case nr_pidfd_getfd: return adapt_foreign_descriptor(s, e);
    case nr_landlock_add_rule:
      if (e.args[1].text.empty()) e.args[2] = value_address(s.call.args[2]);
      return;
    case nr_sethostname:
    case nr_setdomainname: return adapt_host_name(s, e);
    case nr_reboot:
      shorten(e.args[3], 255);
      if (low(2) != 0xa1b2c3d4) e.args[3] = {};  // only RESTART2 takes a word more
      return;
    case nr_ustat: e.args[1] = value_address(s.call.args[1]); return;
    case nr_capget:
    case nr_capset: return adapt_capabilities(s, e);
    case nr_get_mempolicy: return adapt_policy_asked(s, e);
    case nr_mincore: return empty_if_none(s, e, 2, s.call.args[1]);
    case nr_sched_setaffinity: return empty_if_none(s, e, 2, low(1));
    case nr_move_pages: return empty_if_none(s, e, 4, s.call.args[1]);
    case nr_shmget: return adapt_segment(s, e);
    case nr_semget: return adapt_get(s, e, 2, false);
    case nr_msgget: return adapt_get(s, e, 1, false);
    default: return;
  }
}

}  // namespace sctrace::read
