#include "formats/json_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "arch/table.h"
#include "formats/hexadecimal.h"
#include "formats/json.h"
#include "formats/read/table.h"
#include "formats/text.h"

namespace sctrace {
namespace {

using Kind = Value::Kind;
using Base = Value::Base;

const TextOptions plain;  // as print shows values without any option

const char* base_name(Base base) {
  switch (base) {
    case Base::hexadecimal:
    case Base::padded: return "hexadecimal";
    case Base::octal:
    case Base::mode: return "octal";
    default: return nullptr;
  }
}

// One object, field by field. What stands before a field's value is written at once.
class Object {
 public:
  explicit Object(std::string& to) : to_(to) {}
  ~Object() { to_.append(first_ == '{' ? "{}" : "}"); }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  std::string& field(std::string_view name) {
    char before[64];
    size_t n = 0;
    before[n++] = std::exchange(first_, ',');
    before[n++] = '"';
    name = name.substr(0, sizeof before - 4);  // longer than any of ours
    std::memcpy(before + n, name.data(), name.size());
    n += name.size();
    before[n++] = '"', before[n++] = ':';
    return to_.append(before, n);
  }
  // A field and its value, as they are written.
  void whole(std::string_view written) { (to_ += std::exchange(first_, ',')) += written; }
  void number(std::string_view name, uint64_t n) { put_decimal(field(name), n); }
  void integer(std::string_view name, int64_t n) { put_decimal(field(name), n); }
  void address(std::string_view name, uint64_t n) {
    put_hexadecimal(field(name) += '"', n);
    to_ += '"';
  }
  void yes(std::string_view name, bool is) {
    if (is) field(name) += "true";
  }
  bool text(std::string_view name, std::string_view text) {
    return put_json_string(field(name), text);
  }
  void optional(std::string_view name, std::string_view text) {
    if (!text.empty() && this->text(name, text)) bytewise_ = true;
  }
  void encoding(bool bytewise) {
    if (bytewise || bytewise_) field("encoding") += "\"latin-1\"";
  }

 private:
  std::string& to_;
  char first_ = '{';  // what stands before the next field
  bool bytewise_ = false;
};

// `name`: what it is called, where the decoder has no other name for it.
void append(std::string& to, const Value& v, const char* name = "");

void items(Object& o, std::string& to, const char* name, const std::vector<Value>& all,
           bool positions = false) {
  o.field(name) += '[';
  const char* comma = "";
  for (const Value& one : all) {
    if (one.kind == Kind::absent && !positions) continue;
    to += comma;
    append(to, one);
    comma = ",";
  }
  to += ']';
}

void number(Object& o, const Value& v) {
  if (v.base == Base::decimal)
    o.integer("value", static_cast<int64_t>(v.number));
  else
    o.number("value", v.number);
  if (const char* base = base_name(v.base)) o.optional("base", base);
}

void text(Object& o, const Value& v) {
  const bool bytewise = o.text("text", v.text);
  o.encoding(bytewise);
  o.number("length", std::max<uint64_t>(v.whole, v.text.size()));
  o.yes("cut", v.cut || v.whole > v.text.size());
  o.yes("path", v.path);
  o.optional("prefix", v.unknown);
  if (v.rest) o.address("unread_at", v.rest);
  if (v.numbered) o.number("offset", v.number);
}

void words(Object& o, std::string& to, const Value& v) {
  number(o, v);
  o.field("words") += '[';
  const char* comma = "";
  for (const Value& one : v.items) {
    std::string name;
    append_shown(name, one, plain);
    put_json_string(to += comma, name);
    comma = ",";
  }
  to += ']';
  o.optional("unknown", v.unknown);
}

void descriptor(Object& o, std::string& to, const Value& v) {
  o.integer("value", static_cast<int32_t>(v.number));
  o.optional("word", v.unknown);
  o.optional("path", v.text);
  o.yes("deleted", v.cut);
  if (!v.items.empty() && !v.items[0].note.empty()) o.optional("device", v.items[0].note);
  if (!v.items.empty() && v.items[0].note.empty()) o.optional("behind", v.items[0].text);
  if (v.items.size() > 1) append(o.field("bound"), v.items[1]);
  (void)to;
  o.encoding(false);
}

void list(Object& o, std::string& to, const Value& v) {
  items(o, to, "items", v.items);
  o.number("length", std::max<uint64_t>(v.whole, v.items.size()));
  if (v.rest) o.address("unread_at", v.rest);
}

void macro(Object& o, std::string& to, const Value& v) {
  o.optional("macro", v.text);
  items(o, to, "items", v.items);
  if (v.numbered) number(o, v);
  if (v.bare && !v.numbered) {
    const bool bytewise = o.text("bytes", v.unknown);
    o.encoding(bytewise);
  } else {
    o.optional("suffix", v.unknown);
  }
}

void body(Object& o, std::string& to, const Value& v) {
  switch (v.kind) {
    case Kind::absent: return;
    case Kind::number: return number(o, v);
    case Kind::text: return text(o, v);
    case Kind::word:
      if (v.items.empty())
        number(o, v);
      else
        append(o.field("bytes"), v.items[0]);
      o.optional("word", v.text);
      return o.optional("unknown", v.unknown);
    case Kind::words: return words(o, to, v);
    case Kind::address: return o.address("value", v.number);
    case Kind::descriptor: return descriptor(o, to, v);
    case Kind::structure:
      items(o, to, "fields", v.items);
      o.yes("cut", v.cut);
      return o.yes("more", v.more || v.numbered);
    case Kind::list: return list(o, to, v);
    case Kind::members: items(o, to, "items", v.items); return o.yes("all_but_these", v.negated);
    case Kind::macro: return macro(o, to, v);
    case Kind::change:
      append(o.field("before"), v.items[0]);
      return append(o.field("after"), v.items[1]), void();
    case Kind::wait_status:
      o.number("value", v.number & 0xffffffff);
      return o.optional("text", shown(v, plain));
    case Kind::either: items(o, to, "items", v.items); return o.optional("suffix", v.text);
    case Kind::indexed:
      append(o.field("index"), v.items[0]);
      return append(o.field("item"), v.items[1]), void();
    case Kind::shifted:
      items(o, to, "items", v.items);
      o.number("by", v.number);
      return o.optional("remark", v.unknown);
  }
}

std::string_view kind_of(const Value& v) {
  static constexpr std::string_view written[] = {
      "\"kind\":\"absent\"",      "\"kind\":\"number\"", "\"kind\":\"text\"",
      "\"kind\":\"word\"",        "\"kind\":\"words\"",  "\"kind\":\"address\"",
      "\"kind\":\"fd\"",          "\"kind\":\"struct\"", "\"kind\":\"list\"",
      "\"kind\":\"set\"",         "\"kind\":\"macro\"",  "\"kind\":\"change\"",
      "\"kind\":\"wait_status\"", "\"kind\":\"either\"", "\"kind\":\"indexed\"",
      "\"kind\":\"shifted\""};
  return written[static_cast<size_t>(v.kind)];
}

void append(std::string& to, const Value& v, const char* name) {
  Object o(to);
  o.optional("name", v.name.empty() ? name : std::string_view(v.name));
  o.whole(kind_of(v));
  body(o, to, v);
  if (v.address) o.address("address", v.address);
  o.optional("remark", v.kind == Kind::shifted ? "" : v.note);
}

void append(std::string& to, const Stack& stack) {
  Object all(to);
  all.field("frames") += '[';
  const char* comma = "";
  for (const Frame& frame : stack) {
    to += comma;
    comma = ",";
    Object o(to);
    o.address("address", frame.address);
    o.optional("object", frame.object);
    o.optional("symbol", frame.symbol);
    o.address("offset", frame.offset);
    o.yes("inlined", frame.inlined);
    o.encoding(false);
  }
  to += ']';
  using End = Stack::End;
  const End end = stack.how_it_ends();
  all.optional("end", end == End::cut ? "cut" : end == End::broken ? "unknown" : "");
  all.yes("guessed", stack.is_guessed());
}

const char* state_of(const Event& e) {
  if (!e.returns) return "no return";
  if (!e.ended) return "unfinished";
  return e.restarted ? "restarted" : "returned";
}

}  // namespace

void JsonLines::begin(const char* type, const Where& at) {
  const auto number = [this](std::string_view before, uint64_t n) {
    put_decimal(out_ += before, n);
  };
  (out_ += "{\"type\":\"") += type;
  number("\",\"pid\":", at.pid);
  number(",\"tid\":", at.tid);
  number(",\"time_ns\":", at.when + wall_offset);
  number(",\"monotonic_ns\":", at.when);
}

void JsonLines::call(const Event& e) {
  begin("call", {e.pid, e.tid, e.began});
  if (e.ended && e.timed)
    put_decimal(out_ += ",\"duration_ns\":", e.finished > e.began ? e.finished - e.began : 0);
  put_decimal(out_ += ",\"number\":", uint64_t{e.nr});
  ((out_ += ",\"name\":\"") += e.name) += "\",\"registers\":[";
  for (size_t i = 0; i < e.argc; ++i) {
    put_hexadecimal(out_ += i ? ",\"" : "\"", e.raw[i]);
    out_ += '"';
  }
  out_ += "],\"args\":[";
  const arch::Row& row = read::lookup(e.nr);
  for (size_t i = 0; i < e.args.size(); ++i) {
    if (i) out_ += ',';
    const char* man_page = i < row.arity ? row.args[i].name : nullptr;
    append(out_, e.args[i], man_page ? man_page : "");
  }
  ((out_ += "],\"state\":\"") += state_of(e)) += '"';
  if (e.ended && e.returns) {
    put_decimal(out_ += ",\"result\":", e.result);
    if (e.failed || e.restarted)
      ((out_ += ",\"error\":\"") += error_name(-e.result)) += '"';
    else
      append(out_ += ",\"value\":", e.value);
  }
  if (!e.after.empty()) {
    out_ += ",\"after\":[";
    for (size_t i = 0; i < e.after.size(); ++i) append(out_ += i ? "," : "", e.after[i]);
    out_ += ']';
  }
  if (e.site) {
    put_hexadecimal(out_ += ",\"site\":\"", e.site);
    out_ += '"';
  }
  if (e.trap) out_ += ",\"trapped\":true";
  const auto written = [&e] {
    std::string text;
    append(text, e.stack);
    return text;
  };
  if (!e.stack.empty()) out_ += ",\"stack\":" + stacks_.of(e.stack, written);
  if (e.injected) out_ += ",\"injected\":true";
  out_ += "}\n";
}

void JsonLines::enter(const Event& e) {
  open_[e.tid] = e;
  if (!e.returns) leave(e);
}

void JsonLines::leave(const Event& e) {
  open_.erase(e.tid);
  call(e);
}

void JsonLines::signal(const Where& to, uint32_t number, const Value& info, const Stack& stack) {
  begin("signal", to);
  out_ += fmt::format(",\"number\":{},\"name\":\"{}\",\"info\":", number, signal_name(number));
  append(out_, info);
  if (!stack.empty()) append(out_ += ",\"stack\":", stack);
  out_ += "}\n";
}

void JsonLines::gone(const Where& who, const Departure& d) {
  if (const auto open = open_.find(who.tid); open != open_.end()) {
    Event e = open->second;
    e.ended = false;
    leave(e);
  }
  using How = Departure::How;
  if (d.how == How::untold) return;
  begin(d.how == How::exited ? "exit" : d.how == How::killed ? "killed" : "superseded", who);
  if (d.how == How::exited)
    out_ += fmt::format(",\"status\":{}", d.number);
  else if (d.how == How::superseded)
    out_ += fmt::format(",\"by\":{}", d.number);
  else
    out_ += fmt::format(",\"number\":{},\"name\":\"{}\",\"core_dumped\":{}", d.number,
                        signal_name(d.number), d.core);
  out_ += "}\n";
}

void JsonLines::lost(const Where& of, uint64_t calls) {
  begin("lost", of);
  out_ += calls ? fmt::format(",\"calls\":{}}}\n", calls) : ",\"calls\":null}\n";
}

void JsonLines::end(const read::Losses& all) {
  std::map<uint32_t, Event> open;
  open.swap(open_);
  for (auto& [tid, event] : open) {
    event.ended = false;
    call(event);
  }
  out_ += fmt::format(
      "{{\"type\":\"losses\",\"calls\":{},\"gaps\":{},\"rolled_over\":{},\"cut\":{},"
      "\"untraced\":{},\"orphans\":{},\"damaged\":{},\"clock_uncertain\":{}}}\n",
      all.calls, all.gaps, all.rolled_over, all.cut + all.cut_here, all.untraced, all.orphans,
      all.damaged, all.clock_uncertain);
}

}  // namespace sctrace
