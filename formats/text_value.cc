#include <fmt/format.h>

#include "formats/hexadecimal.h"
#include "formats/text.h"
#include "formats/text_quotes.h"

namespace sctrace {
namespace {

using Kind = Value::Kind;
using Base = Value::Base;
using Names = TextOptions::Names;

void append_text(std::string& out, const Value& v, const TextOptions& o) {
  std::string_view text = v.text;
  bool cut = v.cut || v.whole > text.size() || (v.negated && text.size() >= o.strsize);
  if (!v.path && text.size() > o.strsize) text = text.substr(0, o.strsize), cut = true;
  // Bytes behind the end of a struct that is known: where they lie in it.
  if (v.numbered)
    out += fmt::format("/* bytes {}..{} */ ", v.number, v.number + v.whole - 1);
  else
    out += v.unknown;
  out += '"';
  append_quoted(out, text, v.bare || v.numbered ? 2 : o.hex);
  out += cut ? "\"..." : "\"";
}

std::string descriptor(const Value& v, const TextOptions& o) {
  std::string out = fmt::format("{}", static_cast<int32_t>(v.number));
  if (!v.unknown.empty() && o.names == Names::brief) out = v.unknown;
  if (!v.unknown.empty() && o.names == Names::both) out += " /* " + v.unknown + " */";
  const int kind = v.items.empty()                       ? 0
                   : !v.items[0].note.empty()            ? TextOptions::device
                   : v.items[0].text.starts_with("pid:") ? TextOptions::process
                                                         : TextOptions::socket;
  const bool detailed = o.paths & kind;
  if (v.text.empty() || !(detailed || o.paths & TextOptions::path)) return out;
  out += '<' + (!detailed ? in_brackets(v.text, o.hex)
                : kind == TextOptions::device
                    ? in_brackets(v.items[0].text, o.hex) + '<' + v.items[0].note + '>'
                    : v.items[0].text);
  if (detailed && v.items.size() > 1) out += ',' + shown(v.items[1], o) + ']';
  return out + (v.cut ? ">(deleted)" : ">");
}

// With a zero before it, and so many digits at least.
void put_octal(std::string& out, uint64_t n, size_t digits) {
  char text[24];
  char* at = text + sizeof text;
  for (; n; n >>= 3) *--at = static_cast<char>('0' + (n & 7));
  *--at = '0';
  while (static_cast<size_t>(text + sizeof text - at) < digits) *--at = '0';
  out.append(at, static_cast<size_t>(text + sizeof text - at));
}

void append_number(std::string& out, uint64_t n, Base base) {
  switch (base) {
    case Base::decimal: {
      const fmt::format_int text(static_cast<int64_t>(n));
      out.append(text.data(), text.size());
      return;
    }
    case Base::unsigned_decimal: {
      const fmt::format_int text(n);
      out.append(text.data(), text.size());
      return;
    }
    case Base::hexadecimal:
      if (n)
        put_hexadecimal(out, n);
      else
        out += '0';
      return;
    case Base::octal: return put_octal(out, n, 1);
    case Base::padded: out += n ? fmt::format("{:#016x}", n) : std::string(16, '0'); return;
    case Base::mode: return put_octal(out, n, 3);
  }
}

std::string number(uint64_t n, Base base) {
  std::string out;
  append_number(out, n, base);
  return out;
}

std::string words(const Value& v, const TextOptions& o);

std::string word(const Value& v, const TextOptions& o) {
  const std::string plain = v.items.empty() ? number(v.number, v.base) : quoted(v.items[0], o);
  if (v.bare && !v.text.empty()) return v.text;
  if (o.names == Names::raw) return plain;
  if (v.negated && !v.text.empty()) return v.text;
  if (v.numbered && !v.text.empty()) return plain + " /* " + v.text + " */";
  if (v.text.empty()) return v.unknown.empty() ? plain : plain + " /* " + v.unknown + " */";
  return o.names == Names::both ? plain + " /* " + v.text + " */" : v.text;
}

// Permissions below the flags are told apart whatever the style.
std::string words_and_mode(const Value& v, const TextOptions& o) {
  Value flags = v;
  const std::string mode = number(v.items.back().number, Base::mode);
  flags.number &= ~v.items.back().number;
  flags.items.pop_back();
  return flags.number ? words(flags, o) + '|' + mode : mode;
}

std::string words_of(const Value& v, const std::string& plain, const TextOptions& o,
                     const TextOptions& brief) {
  std::string joined;
  bool known = false;
  for (const Value& item : v.items) {
    if (!joined.empty()) joined += '|';
    known |= item.kind != Kind::number || item.base != Base::hexadecimal;
    append_shown(joined, item, brief);
  }
  if (!known) return v.number && !v.unknown.empty() ? plain + " /* " + v.unknown + " */" : plain;
  return (o.names == Names::both || v.numbered) && !v.bare && (v.number || joined != "0") &&
                 !(joined == plain)
             ? plain + " /* " + joined + " */"
             : joined;
}

bool ends_with_mode(const Value& v) {
  return !v.items.empty() && v.items.back().kind == Kind::number &&
         v.items.back().base == Base::mode;
}

std::string words(const Value& v, const TextOptions& o) {
  if (v.base == Base::hexadecimal && ends_with_mode(v)) return words_and_mode(v, o);
  const std::string plain = number(v.number, v.base);
  if (o.names == Names::raw) return plain;
  if (o.names != Names::brief) {
    TextOptions brief = o;
    brief.names = Names::brief;
    return words_of(v, plain, o, brief);
  }
  return words_of(v, plain, o, o);
}

// Flags as they mostly are, by name alone. False: as words() has it.
bool try_append_names(std::string& out, const Value& v, const TextOptions& o) {
  if (o.names != Names::brief || v.numbered || ends_with_mode(v)) return false;
  const size_t start = out.size();
  bool known = false;
  for (const Value& item : v.items) {
    if (out.size() > start) out += '|';
    known |= item.kind != Kind::number || item.base != Base::hexadecimal;
    append_shown(out, item, o);
  }
  if (!known) out.resize(start);
  return known;
}

// A macro that `unknown` has the bytes of; one with a number has a remark there.
bool is_of_bytes(const Value& v) { return v.kind == Kind::macro && v.bare && !v.numbered; }

void append_structure(std::string& out, const Value& v, const TextOptions& o) {
  if (v.unknown == "program" && !o.verbose) return put_hexadecimal(out, v.number);
  const size_t start = out.size();
  const auto has_some = [&] { return out.size() > start + 1; };
  out += '{';
  bool more = v.more && !o.verbose;
  for (const Value& field : v.items) {
    if (field.kind == Kind::absent) continue;
    if (field.detail && field.more && !o.verbose) continue;
    if (field.detail && !o.verbose) {
      if (v.bare && !out.ends_with("...")) out += has_some() ? ", ..." : "...";
      more = !v.bare;
      continue;
    }
    if (has_some()) out += ", ";
    if (!field.name.empty())
      (out += field.name) += '=';
    else if (is_of_bytes(field) && o.names != Names::brief && field.items.size() == 3)
      (out += field.items[2].text.substr(1)) += '=';  // &sin6_addr
    append_shown(out, field, o);
  }
  if (v.numbered && !more) out += ", ...";
  if (v.cut) out += has_some() ? ", ???" : "???";
  if (more) out += has_some() ? ", ..." : "...";
  out += '}';
}

// Lists that are only counted unless everything is asked for: `unknown` names their elements.
std::string counted(const Value& v) {
  if (v.unknown == "program") return fmt::format("{:#x}", v.number);
  if (v.unknown == "omitted") return "[...]";
  std::string what(v.unknown);
  if (v.whole == 1) what = what == "entries" ? "entry" : what.substr(0, what.size() - 1);
  return fmt::format("{:#x} /* {} {}{} */", v.number, v.whole, what,
                     v.rest ? ", unterminated" : "");
}

void append_list(std::string& out, const Value& v, const TextOptions& o) {
  if (!v.unknown.empty() && !o.verbose) {
    out += counted(v);
    return;
  }
  out += '[';
  uint64_t n = 0;
  const bool bounded = v.bounded && !o.verbose;
  for (const Value& item : v.items) {
    if (n) out += ", ";
    if ((bounded && n >= o.strsize) || (v.cut && n > o.strsize) ||
        (v.numbered && !o.verbose && n >= v.number)) {
      out += "...]";
      return;
    }
    append_shown(out, item, o);
    ++n;
  }
  if (v.rest)
    out += fmt::format("{}... /* {:#x} */", n ? ", " : "", v.rest);
  else if (v.whole > n)
    out += n ? ", ..." : "...";
  out += ']';
}

// Some have their bits in `text`, for those who want no names; and of many names the first suffice.
std::string members(const Value& v, const TextOptions& o) {
  constexpr size_t enough = 4;
  const Names names = o.names;
  const std::string bits = v.text.empty() ? "" : '[' + v.text + ']';
  if (!bits.empty() && names == Names::raw) return bits;
  std::string out = v.negated ? "~[" : "[";
  for (size_t i = 0; i < v.items.size(); ++i) {
    if (i) out += ' ';
    if (!bits.empty() && !o.verbose && i == enough) {
      out += "...";
      break;
    }
    out += shown(v.items[i], o);
  }
  out += ']';
  return !bits.empty() && names == Names::both ? out + " /* " + bits + " */" : out;
}

// What is known by its bytes too is shown by them where names are not wanted alone.
std::string macro_and_bytes(Value v, TextOptions o) {
  Value bytes = value_text(std::string(v.unknown));
  bytes.bare = bytes.path = true;
  const std::string plain = quoted(bytes, o);
  if (o.names == Names::raw) return plain;
  v.bare = false;
  v.unknown.clear();
  if (v.items.size() == 3) v.items.pop_back();  // where inet_pton() would put it
  o.names = Names::brief;
  return plain + " /* " + shown(v, o) + " */";
}

std::string without_remark(Value v, TextOptions o) {
  v.unknown.clear();
  o.names = Names::brief;
  return shown(v, o);
}

std::string macro(const Value& v, const TextOptions& o) {
  if (is_of_bytes(v) && o.names != Names::brief) return macro_and_bytes(v, o);
  const std::string plain = number(v.number, v.base);
  if (v.numbered && o.names == Names::raw) return plain;
  std::string out =
      v.numbered && o.names == Names::both ? plain + " /* " + v.text + '(' : v.text + '(';
  const bool in_remark = v.bare && o.names == Names::both;  // no remark inside a remark
  for (size_t i = 0; i < v.items.size(); ++i) {
    if (i) out += ", ";
    if (in_remark)
      out += without_remark(v.items[i], o);
    else
      append_shown(out, v.items[i], o);
  }
  out += ')';
  if (!is_of_bytes(v)) out += v.unknown;
  return v.numbered && o.names == Names::both ? out + " */" : out;
}

bool is_scalar(const Value& v) {
  return v.kind == Kind::number || v.kind == Kind::word || v.kind == Kind::words ||
         v.kind == Kind::descriptor || v.kind == Kind::address;
}

std::string change(const Value& v, const TextOptions& o) {
  if (v.negated) return shown(v.items[0], o) + '+' + shown(v.items[1], o);
  if (v.items[0].braced) {
    Value a = v.items[0], b = v.items[1];
    if (v.bare && shown(a, o) == shown(b, o)) return shown(a, o);
    if (!is_scalar(b) || !b.braced || v.bare) return shown(a, o) + " => " + shown(b, o);
    a.braced = b.braced = false;
    const std::string left = shown(a, o), right = shown(b, o);
    return left == right ? '[' + left + ']' : '[' + left + " => " + right + ']';
  }
  const Label& name = v.items[1].name;
  return shown(v.items[0], o) + " => " + (name.empty() ? "" : name + "=") + shown(v.items[1], o);
}

std::string wait_status(const Value& v) {
  const uint32_t s = static_cast<uint32_t>(v.number), signal = s & 0x7f;
  if (s == 0xffff) return "{WIFCONTINUED(s)}";
  if ((s & 0xff) == 0x7f && (s >> 8 & 0xff)) {
    const uint32_t event = s >> 16, stop = s >> 8 & 0xff;
    const std::string name =
        stop & 0x80 ? fmt::format("{} | 0x80", signal_name(stop & 0x7f)) : signal_name(stop);
    std::string out = fmt::format("{{WIFSTOPPED(s) && WSTOPSIG(s) == {}}}", name);
    static constexpr const char* events[] = {"",     "FORK",       "VFORK", "CLONE",
                                             "EXEC", "VFORK_DONE", "EXIT",  "SECCOMP"};
    if (event == 128)
      out += " | PTRACE_EVENT_STOP << 16";
    else if (event && event < 8)
      out += fmt::format(" | PTRACE_EVENT_{} << 16", events[event]);
    else if (event)
      out += fmt::format(" | {:#x} << 16", event);
    return out;
  }
  const uint32_t rest = s & ~0xffffu;
  std::string out;
  if (signal == 0)
    out = fmt::format("{{WIFEXITED(s) && WEXITSTATUS(s) == {}}}", s >> 8 & 0xff);
  else
    out = fmt::format("{{WIFSIGNALED(s) && WTERMSIG(s) == {}{}}}", signal_name(signal),
                      s & 0x80 ? " && WCOREDUMP(s)" : "");
  if (rest) out += fmt::format(" | {:#x} << 16", rest >> 16);
  return out;
}

std::string unadorned(const Value& v, const TextOptions& o);

void append_unadorned(std::string& out, const Value& v, const TextOptions& o) {
  switch (v.kind) {
    case Kind::absent: return;
    case Kind::number:
      append_number(out, v.number, v.base);
      if (o.tasks && !v.text.empty()) out += shown_task(v.text, o);
      return;
    case Kind::text: return append_text(out, v, o);
    case Kind::address:
      if (v.number)
        put_hexadecimal(out, v.number);
      else
        out += "NULL";
      return;
    case Kind::structure: return append_structure(out, v, o);
    case Kind::list: return append_list(out, v, o);
    case Kind::word:
      if (o.names == Names::brief && !v.numbered && !v.text.empty()) {
        out += v.text;
        return;
      }
      out += word(v, o);
      return;
    case Kind::words:
      if (try_append_names(out, v, o)) return;
      out += words(v, o);
      return;
    case Kind::descriptor:
      if ((o.paths && !v.text.empty()) || (!v.unknown.empty() && o.names != Names::brief))
        out += descriptor(v, o);
      else if (!v.unknown.empty())
        out += v.unknown;
      else
        append_number(out, static_cast<uint64_t>(int64_t{static_cast<int32_t>(v.number)}),
                      Base::decimal);
      return;
    default: out += unadorned(v, o);
  }
}

std::string shifts_by(const Value& v, const TextOptions& o) {
  if (v.text.empty() || o.names == Names::raw) return std::to_string(v.number);
  return o.names == Names::brief ? v.text : fmt::format("{} /* {} */", v.number, v.text);
}

// Those that are rarer, or put together from the outside in.
std::string unadorned(const Value& v, const TextOptions& o) {
  switch (v.kind) {
    case Kind::members: return members(v, o);
    case Kind::macro: return macro(v, o);
    case Kind::change: return change(v, o);
    case Kind::wait_status: return wait_status(v);
    case Kind::indexed: return '[' + shown(v.items[0], o) + "]=" + shown(v.items[1], o);
    case Kind::shifted: {
      std::string plain = shown(v.items[0], o) + "<<" + shifts_by(v, o);
      if (v.items.size() > 1) plain += '|' + shown(v.items[1], o);
      if (v.unknown.empty() || o.names == Names::raw) return plain;
      return plain + " /* " + v.unknown + " */";
    }
    case Kind::either: {
      std::string out;
      if (v.numbered && o.names == Names::raw) return number(v.number, v.base);
      for (const Value& item : v.items) out += (out.empty() ? "" : "|") + shown(item, o);
      return out + v.text;
    }
    default: return {};
  }
}

}  // namespace

std::string shown_task(std::string_view name, const TextOptions& o) {
  return name.empty() ? std::string() : '<' + in_brackets(name, o.hex) + '>';
}

std::string quoted(const Value& v, const TextOptions& o) {
  std::string out;
  append_text(out, v, o);
  return out;
}

std::string shown(const Value& v, const TextOptions& o) {
  std::string out;
  append_shown(out, v, o);
  return out;
}

void append_shown(std::string& out, const Value& v, const TextOptions& o) {
  // Reading failed within what would be shown of it, or nobody wants to know: where it is.
  if (v.rest && v.kind == Kind::text && (v.path || v.text.size() <= o.strsize))
    return put_hexadecimal(out, v.rest);
  if (o.bare && v.address && v.kind != Kind::address && v.kind != Kind::text)
    return put_hexadecimal(out, v.address);
  const bool braced = v.braced && v.kind != Kind::change;
  if (braced) out += '[';
  append_unadorned(out, v, o);
  // Some are remarked on for their numbers' sake: not where these are wanted alone.
  const bool numeric = v.kind == Kind::structure || v.kind == Kind::number;
  const bool noted = !v.negated || !numeric || o.names != Names::raw;
  if (!v.note.empty() && noted) ((out += " /* ") += v.note) += " */";
  if (braced) out += ']';
}

}  // namespace sctrace
