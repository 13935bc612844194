#include <fmt/format.h>

#include <algorithm>

#include "formats/read/decode_ioctl.h"
#include "formats/read/requests.h"
#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

void adapt_clone(const Scene& s, Event& e) {
  const uint64_t flags = s.call.args[0];
  std::vector<Value> args = {named("child_stack", e.args[1]), named("flags", e.args[0])};
  if (flags & 0x101000)
    args.push_back(named("parent_tid", flags & 0x1000 && s.ok() ? structure(s, Layout::fd_number,
                                                                            s.call.args[2], 4, true)
                                                                : e.args[2]));
  if (flags & 0x80000) args.push_back(named("tls", value_address(s.call.args[4])));
  if (flags & 0x1200000) args.push_back(named("child_tidptr", value_address(s.call.args[3])));
  e.early = flags & 0x101000 ? 2 : args.size();
  e.args = std::move(args);
}

// What select left in its sets, as many as it says are ready, and of its time. The same set in all
// three places is empty after it: then nothing is known of them.
void adapt_select(const Scene& s, Event& e) {
  static constexpr const char* names[] = {"", "in", "out", "except"};
  auto ready = s.ok() ? static_cast<size_t>(s.call.result) : 0;
  for (size_t i = 1; i <= 4; ++i) {
    Value& v = e.args[i];
    if (v.kind != Kind::change) continue;
    Value after = std::move(v.items[1]), before = std::move(v.items[0]);
    v = std::move(before);
    if (i < 4 && ready && after.kind == Kind::members && !after.items.empty()) {
      if (after.items.size() > ready) after.items.resize(ready);
      ready -= after.items.size();
      e.after.push_back(named(names[i], std::move(after)));
    }
    if (i == 4 && s.call.result > 0 && after.kind == Kind::structure)
      e.after.push_back(named("left", std::move(after)));
  }
  e.early = e.args.size();
  if (!s.ok()) return;
  if (!s.call.result) e.after = {named("Timeout", {})};
  if (e.after.empty()) e.after.emplace_back();
}

void adapt_poll(const Scene& s, Event& e) {
  Value& fds = e.args[0];
  if (fds.kind == Kind::change) {
    Value before = std::move(fds.items[0]);
    fds = std::move(before);
  }
  const bool timed = s.call.nr == arch::nr_ppoll;
  Value left;
  if (timed && e.args[2].kind == Kind::change) {
    left = std::move(e.args[2].items[1]);
    Value before = std::move(e.args[2].items[0]);
    e.args[2] = std::move(before);
  }
  e.early = e.args.size();
  if (!s.ok()) return;
  if (s.call.result == 0) {
    e.after.push_back(named("Timeout", {}));
    return;
  }
  Value list = value_of(Kind::list);
  list.bounded = true;
  const uint64_t n = static_cast<uint32_t>(s.call.args[1]);
  uint8_t b[8];
  for (uint64_t i = 0; i < n && s.memory.whole(b, s.call.args[0] + i * 8, 8, true); ++i) {
    if (!peek<uint16_t>(b + 6)) continue;
    Value one = value_of(Kind::structure);
    one.items.push_back(named("fd", descriptor(s, peek<int32_t>(b))));
    one.items.push_back(named("revents", words(Set::poll_events, peek<uint16_t>(b + 6))));
    list.items.push_back(std::move(one));
  }
  list.whole = list.items.size();
  e.after.push_back(std::move(list));
  if (left.kind == Kind::structure) e.after.push_back(named("left", left));
}

void adapt_execve(const Scene& s, Event& e) {
  const size_t envp = s.call.nr == arch::nr_execve ? 2 : 3;
  Value& v = e.args[envp];
  if (v.kind != Kind::list) return;
  v.number = s.call.args[envp];
  v.unknown = "vars";
}

// Only half of what a sleep was asked for is known when it was cut short: then the rest means
// something.
void adapt_sleep(const Scene& s, Event& e, size_t remainder) {
  const uint64_t at = s.call.args[remainder];
  // Until a moment: what is left of it nobody writes.
  if (remainder == 3 && s.call.args[1] & 1) return void(e.args[remainder] = value_address(at));
  const bool interrupted = s.call.ended && (s.call.result == -4 || s.call.result == -516 ||
                                            s.call.how & wire::exit_restarted);
  e.args[remainder] =
      interrupted ? structure(s, Layout::timespec, at, 16, true) : value_address(at);
}

void adapt_mark(const Scene& s, Event& e) {
  if (static_cast<int32_t>(s.call.args[3]) != -1) return;
  Value v = value_of(Kind::word);
  v.number = ~0ull;
  v.text = "FAN_NOFD";
  e.args[3] = v;
}

// Nobody was waited for: nothing was written.
void adapt_wait(const Scene& s, Event& e, size_t status, size_t usage) {
  if (!s.ok() || s.call.result) return;
  e.args[status] = value_address(s.call.args[status]);
  e.args[usage] = value_address(s.call.args[usage]);
}

// A part of a command, which has one number for both.
Value quota_part(Set set, uint32_t v) {
  Value part = word(set, v);
  return part.text.empty() ? bare_text(fmt::format("{} /* {} */", v ? fmt::format("{:#x}", v) : "0",
                                                   part.unknown))
                           : part;
}

Value quota_command(uint32_t v) {
  Value both = value_macro(
      "QCMD", {quota_part(Set::quota_commands, v >> 8), quota_part(Set::quota_types, v & 255)});
  both.number = v;
  both.base = Value::Base::unsigned_decimal;
  both.numbered = both.bare = true;
  return both;
}

void adapt_quota(const Scene& s, Event& e, size_t command, size_t id) {
  e.args[command] = quota_command(static_cast<uint32_t>(s.call.args[command]));
  if (!s.command) e.args[id] = user_value(static_cast<uint32_t>(s.call.args[id]));
}

// Which one is asked for is known before the answer is, and without it.
void adapt_thread_area(const Scene& s, Event& e) {
  uint32_t number = 0;
  if (s.ok() || !s.memory.whole(&number, s.call.args[0], sizeof number, false)) return;
  e.args[0] = value_of(Kind::structure);
  e.args[0].items.push_back(named("entry_number", user_value(number)));
  e.args[0].numbered = true;
}

// The kernel takes no more than so many elements.
void adapt_first(const Scene& s, Event& e, size_t index, size_t most) {
  Value& list = e.args[index];
  if (list.kind != Kind::list || list.items.size() <= most) return;
  list.items.resize(most);
  list.rest = 0;
  (void)s;
}

// fsconfig takes keys and strings of 256 bytes and blobs of a megabyte.
void adapt_fsconfig(const Scene& s, Event& e) {
  constexpr uint32_t text_most = 256, blob_most = 1 << 20;
  const auto shortened = [](Value& v) {
    if (v.kind != Kind::text || v.text.size() < text_most) return;
    v.text.resize(text_most);
    v.cut = true;
  };
  if (!s.command) e.args[4] = value_number(static_cast<int32_t>(s.call.args[4]));
  shortened(e.args[2]);
  const uint32_t command = static_cast<uint32_t>(s.call.args[1]);
  if (command == 1) shortened(e.args[3]);
  if (command != 2) return;
  e.args[3].bare = true;  // bytes, not text
  if (static_cast<uint32_t>(s.call.args[4]) > blob_most) e.args[3] = value_address(s.call.args[3]);
}

// A nul at the end says no more than the closing quote.
void omit_nul(Value& v) {
  if (v.kind != Kind::text || v.text.empty() || v.text.back() != '\0' || v.whole != v.text.size())
    return;
  v.text.pop_back();
  --v.whole;
}

// Times of files: with the moment that they are, or what stands for one.
void adapt_times(const Scene& s, Event& e) {
  const size_t index = s.call.nr == arch::nr_utimes ? 1 : 2;
  Value& list = e.args[index];
  if (list.kind != Kind::list) return;
  const bool fine = s.call.nr == arch::nr_utimensat;
  for (Value& one : list.items) {
    if (one.kind != Kind::structure || one.items.size() < 2) continue;
    const uint64_t part = one.items[1].number;
    if (fine && (part == 0x3fffffff || part == 0x3ffffffe)) {
      Value word = value_of(Kind::word);
      word.text = part == 0x3fffffff ? "UTIME_NOW" : "UTIME_OMIT";
      word.numbered = false;
      one = word;
    } else if (part < (fine ? 1000000000u : 1000000u)) {
      one.note = moment(static_cast<int64_t>(one.items[0].number), static_cast<uint32_t>(part),
                        fine ? 9 : 6);
    }
  }
}

// What the call wrote where the struct's pointers lead.
void adapt_clone3(const Scene& s, Event& e) {
  uint64_t a[8];
  e.args[0] = structure(s, Layout::clone_args, s.call.args[0], s.call.args[1], false);
  e.args[0].address = s.call.args[0];
  e.early = 2;
  if (!s.ok() || e.args[0].kind != Kind::structure ||
      !s.memory.whole(a, s.call.args[0], sizeof a, false))
    return;
  Value written = value_of(Kind::structure);
  if (a[0] & 0x1000)
    written.items.push_back(named("pidfd", structure(s, Layout::fd_number, a[1], 4, true)));
  if (a[0] & 0x100000)
    written.items.push_back(named("parent_tid", structure(s, Layout::s32, a[3], 4, true)));
  // Nobody knows what the kernel makes of what is behind the part that we know.
  constexpr uint64_t known = 88;
  const uint64_t bytes = s.call.args[1];
  if (bytes > known) add_behind(s, written, s.call.args[0], known, bytes, false);
  if (written.items.empty() && !written.cut) return;
  Value change = value_of(Kind::change);
  change.items = {e.args[0], written};
  e.args[0] = change;
}

Value ipc_command(Set set, uint32_t op) {
  Value v = word(set, op & ~0x100u);
  if (!(op & 0x100)) return v;
  Value both = value_of(Kind::either), flag = value_of(Kind::word);
  flag.text = "IPC_64";
  flag.number = 0x100;
  flag.base = Value::Base::hexadecimal;
  both.items = {flag, v};
  return both;
}

Value protocol_value(const Scene& s) {
  const uint32_t domain = static_cast<uint32_t>(s.call.args[0]),
                 protocol = static_cast<uint32_t>(s.call.args[2]);
  if (domain == 2 || domain == 10) return word(Set::inet_protocols, protocol);
  if (domain == 16) return word(Set::netlink_protocols, protocol);
  if (domain == 31) return word(Set::bluetooth_protocols, protocol);
  if (domain == 17) {
    const uint32_t swapped = __builtin_bswap16(static_cast<uint16_t>(protocol));
    return value_macro("htons", {word(Set::ethernet_protocols, swapped)});
  }
  static constexpr struct {
    uint32_t domain;
    Set set;
  } sets[] = {{3, Set::ax25_protocols},    {23, Set::irda_protocols}, {29, Set::can_protocols},
              {33, Set::address_families}, {34, Set::isdn_protocols}, {35, Set::phonet_protocols},
              {37, Set::caif_protocols},   {39, Set::nfc_protocols},  {41, Set::kcm_protocols},
              {43, Set::smc_protocols}};
  for (const auto& one : sets)
    if (one.domain == domain) return word(one.set, protocol);
  return value_unsigned(s.call.args[2]);
}

void adapt_memory_policy(const Scene& s, Event& e, size_t index, bool wide) {
  const uint64_t raw = wide ? s.call.args[index] : static_cast<uint32_t>(s.call.args[index]);
  Value v = value_of(Kind::words);
  v.base = Value::Base::hexadecimal;
  v.number = raw;
  Value mode = word(Set::mempolicy_modes, raw & ~0xe000ull, true);
  Value flags = words(Set::mempolicy_flags, raw & 0xe000, true);
  if (mode.text.empty() && raw & 0xe000) {
    e.args[index] = words(Set::mempolicy_flags, raw, true);
    return;
  }
  if (mode.text.empty()) {
    e.args[index] = mode;
    return;
  }
  v.items.push_back(mode);
  for (Value& one : flags.items) v.items.push_back(one);
  e.args[index] = v;
}

}  // namespace

void adapt(const Scene& s, Event& e) {
  using namespace arch;
  switch (s.call.nr) {
    case nr_clone: return adapt_clone(s, e);
    case nr_perf_event_open:
      e.args[0] = performance_attributes(s, s.call.args[0]);
      e.args[0].address = s.call.args[0];
      e.early = 0;  // E2BIG changes it
      return;
    case nr_select:
    case nr_pselect6: return adapt_select(s, e);
    case nr_poll:
    case nr_ppoll: return adapt_poll(s, e);
    case nr_execve:
    case nr_execveat: return adapt_execve(s, e);
    case nr_nanosleep: return adapt_sleep(s, e, 1);
    case nr_clock_nanosleep: return adapt_sleep(s, e, 3);
    case nr_ioprio_set: e.args[2] = io_priority(static_cast<uint32_t>(s.call.args[2])); return;
    case nr_futex: return adapt_futex(s, e);
    case nr_getrandom: e.args[0].bare = true; return;  // nothing in it is text
    case nr_quotactl: return adapt_quota(s, e, 0, 2);
    case nr_quotactl_fd: return adapt_quota(s, e, 1, 2);
    case nr_get_thread_area: return adapt_thread_area(s, e);
    case nr_futex_waitv: return adapt_first(s, e, 0, 128);
    case nr_ioctl: return adapt_ioctl(s, e);
    case nr_shmctl:
      e.args[1] = ipc_command(Set::shm_commands, static_cast<uint32_t>(s.call.args[1]));
      return;
    case nr_msgctl:
      e.args[1] = ipc_command(Set::msg_commands, static_cast<uint32_t>(s.call.args[1]));
      return;
    case nr_semctl:
      e.args[2] = ipc_command(Set::sem_commands, static_cast<uint32_t>(s.call.args[2]));
      return;
    case nr_socket:
    case nr_socketpair:
      if (!word_text(Set::socket_kinds, s.call.args[1] & 15))
        e.args[1] = words(Set::socket_flags, s.call.args[1]);
      e.args[2] = s.call.nr == nr_socket ? protocol_value(s)
                                         : value_unsigned(static_cast<uint32_t>(s.call.args[2]));
      return;
    case nr_setsockopt:
    case nr_getsockopt: return adapt_option(s, e);
    case nr_set_mempolicy: return adapt_memory_policy(s, e, 0, false);
    case nr_mbind: return adapt_memory_policy(s, e, 2, true);
    case nr_epoll_ctl:
      if (static_cast<uint32_t>(s.call.args[1]) == 2) e.args[3] = value_address(s.call.args[3]);
      return;
    case nr_fsconfig: return adapt_fsconfig(s, e);
    case nr_arch_prctl:
      if (!s.command) e.args[1] = value_hex(s.call.args[1]);
      if (s.call.args[0] >> 4 == 0x102) e.args[1].numbered = true;  // features of the processor
      return;
    case nr_fcntl:
      if (!s.command) e.args[2] = value_hex(s.call.args[2]);
      return;
    case nr_prctl: return adapt_prctl(s, e);
    case nr_fanotify_mark: return adapt_mark(s, e);
    case nr_getcwd:
      if (s.ok() && s.call.args[0]) e.args[0] = string_at(s, s.call.args[0], true, true);
      return;
    case nr_mknod:
    case nr_mknodat: {
      const uint32_t type = static_cast<uint32_t>(s.call.args[s.row.arity - 2u]) & 0170000;
      if (type != 0020000 && type != 0060000) e.args.back() = {};
      return;
    }
    case nr_personality:
      e.args[0] = personality_value(static_cast<uint32_t>(s.call.args[0]));
      if (static_cast<uint32_t>(s.call.args[0]) == 0xffffffff) e.args[0] = value_hex(0xffffffff);
      return;
    case nr_seccomp:
      if (!s.command) e.args[1] = value_hex(static_cast<uint32_t>(s.call.args[1]));
      return;
    case nr_kexec_load:
      if (s.call.args[1] > 16) e.args[2] = value_address(s.call.args[2]);
      return;
    case nr_rt_sigpending: {
      uint8_t set[8];
      const size_t n = static_cast<size_t>(std::min<uint64_t>(s.call.args[1], 8));
      if (s.ok() && n && s.memory.whole(set, s.call.args[0], n, true))
        e.args[0] = signal_set(set, n);
      return;
    }
    case nr_wait4: return adapt_wait(s, e, 1, 3);
    case nr_setgroups:
      if (static_cast<uint32_t>(s.call.args[0]) > 65536) e.args[1] = value_address(s.call.args[1]);
      return;
    case nr_utimes:
    case nr_futimesat:
    case nr_utimensat: return adapt_times(s, e);
    case nr_listxattr:
    case nr_llistxattr:
    case nr_flistxattr:
      if (!s.call.args[2]) e.args[1] = value_address(s.call.args[1]);
      return;
    case nr_getxattr:
    case nr_lgetxattr:
    case nr_fgetxattr:
      omit_nul(e.args[2]);
      if (!s.call.args[3]) e.args[2] = value_address(s.call.args[2]);
      return;
    case nr_listxattrat:
      if (!s.call.args[4]) e.args[3] = value_address(s.call.args[3]);
      return;
    case nr_getxattrat:
      e.args[4] = extended_attribute(s, s.call.args[4], s.call.args[5]);
      e.args[4].address = s.call.args[4];
      return;
    case nr_lsm_get_self_attr: adapt_security_context(s, e); return adapt_security_size(s, e, 2);
    case nr_lsm_list_modules: return adapt_security_size(s, e, 1);
    case nr_clone3: return adapt_clone3(s, e);
    case nr_io_uring_setup:
      e.args[1] = structure(s, Layout::io_uring_params, s.call.args[1], 0, s.ok());
      return;
    case nr_landlock_create_ruleset: return;
    case nr_setxattr:
    case nr_lsetxattr:
    case nr_fsetxattr:
      omit_nul(e.args[2]);
      if (s.call.args[3] > 65536) e.args[2] = value_address(s.call.args[2]);
      return;
    case nr_io_submit:
      if (static_cast<int64_t>(s.call.args[1]) < 0) e.args[2] = value_address(s.call.args[2]);
      return;
    default: return adapt_odd(s, e);
  }
}

}  // namespace sctrace::read
