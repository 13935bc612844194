#include <fmt/format.h>

#include <cstring>
#include <ctime>

#include "formats/read/decode.h"

namespace sctrace::read {
namespace {

using arch::Set;
using arch::fold::Role;
using arch::fold::Word;
using Base = Value::Base;
using Kind = Value::Kind;

struct Range {
  const Word *first, *last;
  const Word* begin() const { return first + 1; }
  const Word* end() const { return last; }
};

Range range(Set set) {
  const Part<Word> all = words_of(set);
  return {all.first, all.last};
}

Value bare_word(const char* text, uint64_t number) {
  Value v = value_of(Kind::word);
  v.base = Base::hexadecimal;
  v.number = number;
  v.text = text;
  return v;
}

// The bits of a set that are no words but numbers: shown behind everything else.
void add_numbers(Range set, uint64_t value, Value& v) {
  for (const Word& w : set) {
    const uint64_t bits = value & w.value;
    if (w.role == Role::octal)
      v.items.push_back(value_number(static_cast<int64_t>(bits), Base::mode));
    if (w.role == Role::decimal && (bits || !v.items.empty()))
      v.items.push_back(value_unsigned(bits));
    if (!bits) continue;
    if (w.role == Role::shifted)
      v.items.push_back(bare_word(fmt::format("{}<<{}", bits >> w.shift, w.text).c_str(), bits));
    if (w.role == Role::signal) v.items.push_back(signal_value(bits));
  }
}

}  // namespace

const char* word_text(Set set, uint64_t value) {
  for (const Word& w : range(set))
    if (w.role == Role::word && w.value == value) return w.text;
  return nullptr;
}

Value word(Set set, uint64_t value, bool wide) {
  const uint64_t mask = wide ? ~0ull : 0xffffffffull;
  const Range all = range(set);
  Value v = value_of(Kind::word);
  v.base = Base::hexadecimal;
  v.number = value & mask;
  v.unknown = Label::kept(all.first->text);
  for (const Word& w : all)
    if (w.role == Role::word && (w.value & mask) == v.number) {
      v.text = w.text;
      break;
    }
  return v;
}

Value words(Set set, uint64_t value, bool wide) {
  if (!wide) value &= 0xffffffff;
  const Range all = range(set);
  Value v = value_of(Kind::words);
  v.base = Base::hexadecimal;
  v.number = value;
  v.unknown = Label::kept(all.first->text);
  uint64_t rest = value;
  v.items.reserve(4);
  for (const Word& w : all) {
    if (w.role == Role::word) continue;
    rest &= ~w.value;
    if (w.role == Role::part) {
      Value part = word(w.set, value & w.value);
      if (part.unknown.empty()) part.unknown = v.unknown;
      v.items.push_back(std::move(part));
    }
  }
  for (const Word& w : all) {
    if (w.role != Role::word) continue;
    if (w.value ? (rest & w.value) != w.value : value != 0) continue;
    v.items.push_back(bare_word(w.text, w.value));
    rest &= ~w.value;
  }
  const bool parted = !v.items.empty() && all.begin()->role == Role::part;
  if (rest && parted && v.items.size() == 1 &&
      !v.unknown.empty()) {  // the flags beside a choice, none of them known
    v.items.push_back(bare_word("", rest));
    v.items.back().unknown = v.unknown;
  } else if (rest)
    v.items.push_back(value_hex(rest));
  add_numbers(all, value, v);
  return v;
}

Value signal_value(uint64_t number) {
  const uint32_t n = static_cast<uint32_t>(number);
  Value v = value_of(Kind::word);
  v.number = static_cast<uint64_t>(static_cast<int32_t>(n));
  if (n == 32)
    v.text = "SIGRTMIN";
  else if (n > 32 && n <= 64)
    v.text = fmt::format("SIGRT_{}", n - 32);
  else if (n == 29)
    v.text = "SIGIO";  // libc says SIGPOLL
  else if (const char* name = n && n < 32 ? sigabbrev_np(static_cast<int>(n)) : nullptr)
    v.text = std::string("SIG") + name;
  return v;
}

Value user_value(uint32_t id) { return id == 0xffffffff ? value_number(-1) : value_unsigned(id); }

Value mode_value(uint32_t mode) { return value_number(mode & 0xffff, Base::mode); }

Value file_mode_value(uint32_t mode) {
  const char* type = word_text(Set::file_types, mode & 0170000);
  if (!type && !(mode & 07000)) return value_number(mode & 0xffff, Base::mode);
  Value v = value_of(Kind::words);
  v.base = Base::mode;
  v.number = mode;
  if (type)
    v.items.push_back(bare_word(type, mode & 0170000));
  else if (mode & 0170000)
    return value_number(mode & 0xffff, Base::mode);
  if (mode & 04000) v.items.push_back(bare_word("S_ISUID", 04000));
  if (mode & 02000) v.items.push_back(bare_word("S_ISGID", 02000));
  if (mode & 01000) v.items.push_back(bare_word("S_ISVTX", 01000));
  v.items.push_back(value_number(mode & 0777, Base::mode));
  return v;
}

Value device_value(uint64_t dev) {
  const uint64_t major = (dev >> 8 & 0xfff) | (dev >> 32 & 0xfffff000),
                 minor = (dev & 0xff) | (dev >> 12 & 0xffffff00);
  std::vector<Value> both;  // not a list of them: those would be copied
  both.reserve(2);
  both.push_back(value_hex(major));
  both.push_back(value_hex(minor));
  Value v = value_macro("makedev", std::move(both));
  v.number = dev;
  v.base = Base::hexadecimal;
  v.numbered = true;
  return v;
}

Value descriptor(const Scene& s, int32_t fd) { return descriptor(s, fd, s.call.pid); }

Value descriptor(const Scene& s, int32_t fd, uint32_t pid) {
  Value v = value_of(Kind::descriptor);
  v.number = static_cast<uint64_t>(static_cast<int64_t>(fd));
  if (!s.files) return v;
  v.text = s.files->path(pid, fd);
  v.cut = s.files->is_deleted(pid, fd);
  v.items = s.files->details(pid, fd);
  return v;
}

Value directory_descriptor(const Scene& s, int32_t fd) {
  if (fd != wire::file_directory) return descriptor(s, fd);
  Value v = value_of(Kind::descriptor);
  v.number = static_cast<uint64_t>(static_cast<int64_t>(fd));
  v.unknown = "AT_FDCWD";
  v.text = s.files ? s.files->directory(s.call.pid) : std::string();
  return v;
}

Value ticks_value(uint64_t ticks) {
  constexpr uint64_t a_second = 100;  // USER_HZ, which programs see
  Value v = value_unsigned(ticks);
  v.note = ticks ? fmt::format("{}.{:02} s", ticks / a_second, ticks % a_second) : "";
  v.negated = true;  // not in the raw style
  return v;
}

Value task_value(const Scene& s, int64_t tid) {
  Value v = value_number(tid);
  if (tid > 0 && s.files) v.text = s.files->task(tid);
  return v;
}

Value scalar(const Scene& s, arch::Kind kind, Set set, uint64_t raw, bool wide) {
  using K = arch::Kind;
  const int32_t low = static_cast<int32_t>(raw);
  switch (kind) {
    case K::number: return value_number(low);
    case K::pid: return task_value(s, low);
    case K::unsigned_number: return value_unsigned(static_cast<uint32_t>(raw));
    case K::hexadecimal: return value_hex(static_cast<uint32_t>(raw));
    case K::octal: return value_number(static_cast<uint32_t>(raw), Base::octal);
    case K::long_number:
    case K::offset: return value_number(static_cast<int64_t>(raw));
    case K::clock_ticks: return ticks_value(raw);
    case K::long_unsigned:
    case K::count: return value_unsigned(raw);
    case K::long_hexadecimal: return value_hex(raw);
    case K::fd: return descriptor(s, low);
    case K::dirfd: return directory_descriptor(s, low);
    case K::uid:
    case K::gid: return user_value(static_cast<uint32_t>(raw));
    case K::signal_number: return signal_value(raw);
    case K::mode: return mode_value(static_cast<uint32_t>(raw));
    case K::file_mode: return file_mode_value(static_cast<uint32_t>(raw));
    case K::device: return device_value(raw);
    case K::flags: return words(set, raw, wide);
    case K::choice:
    case K::command: return word(set, raw, wide);
    case K::key:
    case K::code: {
      Value v = word(set, raw);
      v.base = kind == K::key ? Base::decimal : Base::hexadecimal;
      if (kind == K::key) v.number = static_cast<uint64_t>(static_cast<int64_t>(low));
      return v;
    }
    case K::time: {
      Value v = value_number(static_cast<int64_t>(raw));
      v.note = moment(static_cast<int64_t>(raw));
      return v;
    }
    case K::limit: {
      if (raw == ~0ull) {
        Value v = word(Set::rlimit_infinity, raw, true);
        v.base = Base::unsigned_decimal;
        return v;
      }
      if (raw >= 1024 && raw % 1024 == 0) {
        Value v = value_of(Kind::word);
        v.base = Base::unsigned_decimal;
        v.number = raw;
        v.text = fmt::format("{}*1024", raw / 1024);
        return v;
      }
      return value_unsigned(raw);
    }
    case K::fsid: {
      Value v = value_of(Kind::structure), pair = value_of(Kind::list);
      for (uint32_t part : {static_cast<uint32_t>(raw), static_cast<uint32_t>(raw >> 32)})
        pair.items.push_back(value_hex(part));
      pair.whole = 2;
      v.items.push_back(named("val", pair));
      return v;
    }
    case K::epoll_data: {
      Value v = value_of(Kind::structure);
      v.items.push_back(named("u32", value_unsigned(static_cast<uint32_t>(raw))));
      v.items.push_back(named("u64", value_unsigned(raw)));
      return v;
    }
    case K::padding: return value_hex(raw);
    case K::interface: return interface_value(static_cast<uint32_t>(raw));
    case K::none:
    case K::network:
    case K::network_hexadecimal:
    case K::network_choice:
    case K::hardware:
    case K::raw_bytes:
    case K::inet4:
    case K::inet6:
    case K::socket_identity:
    case K::address:
    case K::path:
    case K::string:
    case K::buffer:
    case K::structure:
    case K::array:
    case K::iovec:
    case K::msghdr:
    case K::mmsghdr:
    case K::strings:
    case K::variant: break;
  }
  return value_address(raw);
}

Value signal_set(const uint8_t* bytes, size_t n) {
  Value v = value_of(Kind::members);
  std::vector<uint32_t> in, out;
  for (uint32_t i = 0; i < 64; ++i) {
    const bool set = i / 8 < n && (bytes[i / 8] >> i % 8 & 1);
    (set ? in : out).push_back(i + 1);
  }
  v.negated = in.size() > 42;  // shorter to say which are missing
  for (uint32_t number : v.negated ? out : in) {
    if (number / 8 > n * 8) continue;
    Value one = signal_value(number);
    if (one.text.starts_with("SIG")) one.text.erase(0, 3);
    v.items.push_back(std::move(one));
  }
  return v;
}

namespace {

// What libc says of a minute: files of one package have few of them, and asking takes a
// microsecond, three times for each stat().
struct Minute {
  int64_t number = INT64_MIN;
  std::string head, zone;  // "2026-11-30T07:25:", "+0000"; no head: libc has none, or its seconds
};                         // are not those of the world

const Minute& minute_of(int64_t number) {
  constexpr size_t kept = 64;
  thread_local Minute minutes[kept];
  Minute& minute = minutes[static_cast<uint64_t>(number) % kept];
  if (minute.number == number) return minute;
  minute = {number, {}, {}};
  const time_t t = number * 60;
  tm parts{};
  if (!localtime_r(&t, &parts) || parts.tm_sec) return minute;
  char head[64], zone[16];
  minute.head.assign(head, std::strftime(head, sizeof head, "%Y-%m-%dT%H:%M:", &parts));
  minute.zone.assign(zone, std::strftime(zone, sizeof zone, "%z", &parts));
  return minute;
}

std::string asked_moment(int64_t seconds, const std::string& fraction) {
  const time_t t = seconds;
  tm parts{};
  if (!localtime_r(&t, &parts)) return {};
  char head[64], zone[16];
  std::strftime(head, sizeof head, "%Y-%m-%dT%H:%M:%S", &parts);
  std::strftime(zone, sizeof zone, "%z", &parts);
  return head + fraction + zone;
}

}  // namespace

std::string moment(int64_t seconds, uint32_t nanoseconds, int digits) {
  if (!seconds && !nanoseconds) return {};
  std::string fraction;
  if (digits && nanoseconds) fraction = fmt::format(".{:0{}}", nanoseconds, digits);
  if (seconds < 0) return asked_moment(seconds, fraction);
  const Minute& minute = minute_of(seconds / 60);
  if (minute.head.empty()) return asked_moment(seconds, fraction);
  const auto second = static_cast<char>(seconds % 60);
  std::string text = minute.head;
  text += static_cast<char>('0' + second / 10);
  text += static_cast<char>('0' + second % 10);
  return (text += fraction) += minute.zone;
}

}  // namespace sctrace::read
