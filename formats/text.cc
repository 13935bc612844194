#include "formats/text.h"
#include "formats/read/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace sctrace {
namespace {

constexpr struct {
  int64_t error;
  const char *name, *text;
} kernel_errors[] = {
    // never seen by programs, so no libc knows them
    {512, "ERESTARTSYS", "To be restarted if SA_RESTART is set"},
    {513, "ERESTARTNOINTR", "To be restarted"},
    {514, "ERESTARTNOHAND", "To be restarted if no handler"},
    {515, "ENOIOCTLCMD", "No ioctl command"},
    {516, "ERESTART_RESTARTBLOCK", "Interrupted by signal"},
    {524, "ENOTSUPP", "Operation is not supported"},
};

std::string ending_text(const Departure& d) {
  switch (d.how) {
    case Departure::How::untold: return {};
    case Departure::How::exited: return fmt::format("exited with {}", d.number);
    case Departure::How::superseded: return fmt::format("superseded by execve in pid {}", d.number);
    case Departure::How::killed:
      return fmt::format("killed by {}{}", signal_name(d.number), d.core ? " (core dumped)" : "");
  }
  return {};
}

void append_error(std::string& out, int64_t error) {
  const char *name = nullptr, *text = nullptr;
  for (const auto& e : kernel_errors)
    if (e.error == error) name = e.name, text = e.text;
  if (!name && error > 0 && error < 4096) {
    name = strerrorname_np(static_cast<int>(error));
    text = strerrordesc_np(static_cast<int>(error));
  }
  if (name)
    (((out += name) += " (") += text) += ')';
  else
    out += fmt::format("(errno {})", error);
}

TextOptions by_name(TextOptions o) {
  o.names = TextOptions::Names::brief;
  return o;
}

std::string remarks(const Event& e, const TextOptions& o) {
  std::string out;
  bool any = false;
  for (const Value& v : e.after) {
    // What is left of a time is behind a pointer too.
    if (e.nr == arch::nr_recvmmsg && v.name == "left" && !o.followed.test(e.nr)) continue;
    // A result whose words have no name is a number already: they are behind it as words, or not.
    const bool bare = v.kind == Value::Kind::words && v.name.empty();
    if ((v.kind == Value::Kind::macro || bare) && o.names == TextOptions::Names::raw) continue;
    const auto is_known = [](const Value& one) { return !one.text.empty(); };
    if (bare && std::none_of(v.items.begin(), v.items.end(), is_known)) continue;
    if (!out.empty()) out += ", ";
    any = true;
    out += v.name;
    const std::string text = bare ? shown(v, by_name(o)) : shown(v, o);
    if (!v.name.empty() && !text.empty()) out += ' ';
    out += text;
  }
  return any ? " (" + out + ')' : out;
}

}  // namespace

std::string errno_name(int64_t error) {
  const char* name = error > 0 && error < 4096 ? strerrorname_np(static_cast<int>(error)) : nullptr;
  return name ? name : "";
}

std::string error_name(int64_t error) {
  for (const auto& e : kernel_errors)
    if (e.error == error) return e.name;
  const std::string name = errno_name(error);
  return name.empty() ? fmt::format("{}", error) : name;
}

std::string signal_name(uint64_t n) {
  if (n == 32) return "SIGRTMIN";
  if (n > 32 && n <= 64) return fmt::format("SIGRT_{}", n - 32);
  if (n == 29) return "SIGIO";  // libc says SIGPOLL
  const char* name = n && n < 32 ? sigabbrev_np(static_cast<int>(n)) : nullptr;
  return name ? std::string("SIG") + name : fmt::format("{}", n);
}

namespace {
// What engines did to it: strace's words, or the call that was made in its place.
std::string interference(const Event& e, const TextOptions& o) {
  std::string out;
  for (const Event& made : e.made) {
    if (!out.empty()) out += ", ";
    out += made.name + '(';
    for (const Value& v : made.args) {
      if (v.kind == Value::Kind::absent) continue;
      if (out.back() != '(') out += ", ";
      out += shown(v, o);
    }
    out += ')';
  }
  if (out.empty() && e.altered) out = "args";
  if (!out.empty() && e.injected) out += ", retval";
  if (!out.empty())
    out = " (INJECTED: " + out + ')';
  else if (e.injected)
    out = " (INJECTED)";
  return e.delayed ? out + " (DELAYED)" : out;
}
}  // namespace

std::string shown_result(const Event& e, const TextOptions& o) {
  std::string out;
  append_result(out, e, o);
  return out;
}

void append_result(std::string& out, const Event& e, const TextOptions& o) {
  if (!e.ended) {
    out += "= ?";
  } else if (e.restarted) {
    out += "= ? ";
    return append_error(out, -e.result);
  } else if (e.failed) {
    out += "= -1 ";
    append_error(out, -e.result);
  } else {
    out += "= ";
    append_shown(out, e.value, o);
  }
  if (e.ended && !e.after.empty()) out += remarks(e, o);
  if (e.injected || e.altered || e.delayed || !e.made.empty()) out += interference(e, o);
}

namespace {
// With leading zeroes or blanks.
void append_padded(std::string& out, uint64_t n, size_t width, char with) {
  const fmt::format_int text(n);
  if (text.size() < width) out.append(width - text.size(), with);
  out.append(text.data(), text.size());
}

// ".000123": of a second, cut after so many digits.
void append_fraction(std::string& out, uint64_t ns, int digits) {
  if (!digits) return;
  uint64_t part = ns % 1'000'000'000;
  for (int i = digits; i < 9; ++i) part /= 10;
  out += '.';
  append_padded(out, part, static_cast<size_t>(digits), '0');
}
}  // namespace

// --- lines
// -----------------------------------------------------------------------------------------------

void TextPrinter::leader(uint32_t tid, uint64_t when) {
  const auto named = names_.find(tid);
  const std::string name =
      named == names_.end() ? std::string() : shown_task(named->second, options_);
  if (options_.follow && options_.file) {
    const fmt::format_int text(tid);
    out_.append(text.data(), text.size());
    out_ += name;
    out_.append(text.size() < 5 && name.empty() ? 6 - text.size() : 1, ' ');
  } else if (options_.follow && many_) {
    out_ += "[pid ";
    append_padded(out_, tid, 5, ' ');
    out_ += name;
    out_ += "] ";
  }
  const bool absolute = options_.times != TextOptions::Times::none;
  if (absolute) {
    const uint64_t wall = when + wall_offset;
    time_of_day(static_cast<time_t>(wall / 1'000'000'000));
    append_fraction(out_, wall, options_.times_digits);
    out_ += ' ';
  }
  if (options_.relative) {
    const uint64_t since = last_ && when > last_ ? when - last_ : 0;
    if (absolute) out_ += "(+";
    append_padded(out_, since / 1'000'000'000, 6, ' ');
    append_fraction(out_, since, options_.relative_digits);
    out_ += absolute ? ") " : " ";
    last_ = when;
  }
}

// Asked of libc once a second.
void TextPrinter::time_of_day(time_t seconds) {
  if (second_text_.empty() || second_ != seconds) {
    second_ = seconds;
    tm parts{};
    localtime_r(&seconds, &parts);
    char clock[16];
    std::strftime(clock, sizeof clock, "%H:%M:%S", &parts);
    second_text_ = options_.times == TextOptions::Times::epoch ? fmt::format("{}", seconds) : clock;
  }
  out_ += second_text_;
}

void TextPrinter::call_number(const Event& e) {
  if (options_.number) {
    numbers_[e.tid] = e.nr;
    out_ += fmt::format("[{:4}] ", e.nr);
  }
  place(e.site);
}

void TextPrinter::place(uint64_t site) {
  if (!options_.site) return;
  constexpr uint64_t length = 2;  // of the instruction: strace tells where it goes on
  out_ += site ? fmt::format("[{:016x}] ", site + length) : "[????????????????] ";
}

// A line of no call stands under the number of the last one.
void TextPrinter::last_number(uint32_t tid) {
  if (options_.number) out_ += fmt::format("[{:4}] ", numbers_[tid]);
  place(0);
}

const TextOptions& TextPrinter::options_for(const Event& e) {
  const size_t nr = std::min<size_t>(e.nr, arch::number_limit);
  const bool brief = options_.brief.test(nr), followed = options_.followed.test(nr);
  if (brief && followed) return options_;
  special_ = options_;
  if (!brief) special_.verbose = true;
  if (!followed) special_.bare = true;
  return special_;
}

// Undecoded, as -e raw= wants them.
void TextPrinter::registers(const Event& e) {
  for (size_t i = 0; i < e.argc; ++i)
    out_ += fmt::format(fmt::runtime(e.raw[i] ? "{}{:#x}" : "{}{}"), i ? ", " : "", e.raw[i]);
}

void TextPrinter::arguments(const Event& e, size_t from, size_t to) {
  if (is_raw(e)) {
    if (!from) registers(e);
    return;
  }
  const TextOptions& options = options_for(e);
  const arch::Row& row = read::lookup(e.nr);
  bool first = from == 0;
  for (size_t i = from; i < to; ++i) {
    const Value& v = e.args[i];
    if (v.kind == Value::Kind::absent) continue;
    if (!first) out_ += ", ";
    first = false;
    const char* known = i < row.arity ? row.args[i].name : nullptr;
    if (!v.name.empty())
      (out_ += v.name) += '=';
    else if (options.names_of_arguments && known)
      (out_ += known) += '=';
    append_shown(out_, v, options);
  }
}

// Of the line that begins at `start`.
void TextPrinter::ending(const Event& e, size_t start) {
  out_ += ") ";
  const size_t column = out_.size() - start;
  if (column < static_cast<size_t>(options_.column))
    out_.append(static_cast<size_t>(options_.column) - column, ' ');
  append_result(out_, e, options_for(e));
  if (options_.spent && e.ended && e.timed) {
    const uint64_t spent = e.finished > e.began ? e.finished - e.began : 0;
    out_ += " <";
    append_padded(out_, spent / 1'000'000'000, 1, ' ');
    append_fraction(out_, spent, options_.spent_digits);
    out_ += '>';
  }
  out_ += '\n';
}

// The line that stands open gives way to somebody else's.
void TextPrinter::suspend() {
  if (!open_) return;
  Open& o = calls_[*open_];
  leader(*open_, o.event.began);
  call_number(o.event);
  const size_t early = is_raw(o.event) ? o.event.args.size() : o.event.early;
  (out_ += o.event.name) += '(';
  arguments(o.event, 0, early);
  bool more = false;
  for (size_t i = early; i < o.event.args.size(); ++i)
    more |= o.event.args[i].kind != Value::Kind::absent;
  if (more && early) out_ += ", ";
  out_ += " <unfinished ...>\n";
  o.written = true;
  open_.reset();
}

void TextPrinter::enter(const Event& e) {
  suspend();
  calls_[e.tid] = {e, false};
  open_ = e.tid;
  if (!e.returns) leave(e);
}

void TextPrinter::leave(const Event& e) {
  const auto found = calls_.find(e.tid);
  const bool written = found != calls_.end() && found->second.written;
  const bool lost = !e.ended && e.returns;  // what it would have said at its end, nobody knows
  const size_t known = lost && !is_raw(e) ? e.early : e.args.size();
  if (open_ && *open_ == e.tid)
    open_.reset();
  else
    suspend();
  const size_t start = out_.size();
  if (written) {
    const auto renamed = renamed_.find(e.tid);
    leader(renamed == renamed_.end() ? e.tid : renamed->second, e.finished);
    if (renamed != renamed_.end()) renamed_.erase(renamed);
    call_number(e);
    ((out_ += "<... ") += e.name) += " resumed>";
    const size_t behind = out_.size();
    if (!lost) arguments(e, found->second.event.early, e.args.size());
    if (out_.compare(behind, 2, ", ") == 0) out_.erase(behind, 2);
  } else {
    leader(e.tid, e.began);
    call_number(e);
    (out_ += e.name) += '(';
    arguments(e, 0, known);
    if (known < e.args.size() && known) out_ += ", ";
  }
  if (known < e.args.size()) out_ += " <unfinished ...>";
  ending(e, start);
  if (options_.stack) callers(e.stack);
  if (found != calls_.end()) calls_.erase(found);
}

// As strace -k: the number in brackets is where the file has it.
void TextPrinter::callers(const Stack& stack) {
  for (const Frame& frame : stack) {
    if (frame.inlined) continue;  // as there
    if (frame.object.empty() && frame.symbol.empty())
      out_ += fmt::format(" > [unknown] [{:#x}]\n", frame.address);
    else if (frame.symbol.empty())
      out_ += fmt::format(" > {}() [{:#x}]\n", frame.object, frame.in_file);
    else
      out_ += fmt::format(" > {}({}+{:#x}) [{:#x}]\n", frame.object, frame.symbol, frame.offset,
                          frame.in_file ? frame.in_file : frame.address);
  }
  if (stack.how_it_ends() == Stack::End::cut) out_ += " > [deeper than was recorded]\n";
  if (stack.how_it_ends() == Stack::End::broken) out_ += " > [not known any further]\n";
}

void TextPrinter::signal(const Where& to, uint32_t number, const Value& info, const Stack& stack) {
  suspend();
  leader(to.tid, to.when);
  last_number(to.tid);
  out_ += fmt::format("--- {} {} ---\n", signal_name(number), shown(info, options_));
  if (options_.stack) callers(stack);
}

// The thread's own execve: its line, if it stands open, ends here and goes on under another number.
void TextPrinter::supersede(uint32_t pid, uint32_t tid) {
  const auto exec = calls_.find(tid);
  if (exec == calls_.end()) return;
  if (open_ && *open_ == tid && !calls_.contains(pid)) {  // that of the first comes before
    const Event& e = exec->second.event;
    leader(tid, e.began);
    call_number(e);
    (out_ += e.name) += '(';
    arguments(e, 0, e.args.size());
    out_ += fmt::format(" <pid changed to {} ...>\n", pid);
    open_.reset();
  }
  renamed_[tid] = pid;
  exec->second.written = true;
}

void TextPrinter::gone(const Where& who, const Departure& how) {
  if (how.how == Departure::How::superseded) supersede(who.pid, how.number);
  const auto found = calls_.find(who.tid);
  if (found != calls_.end()) {
    Event e = found->second.event;
    e.ended = false;
    leave(e);
  }
  suspend();
  if (how.how == Departure::How::untold || is_quiet(how.how)) return;
  leader(who.tid, who.when);
  last_number(who.tid);
  out_ += "+++ " + ending_text(how) + " +++\n";
}

void TextPrinter::buffer(size_t index, uint64_t length) {
  out_ += fmt::format(" * {} bytes in buffer {}\n", length, index);
}

void TextPrinter::vector(size_t index, uint64_t buffers) {
  out_ += fmt::format(" = {} buffers in vector {}\n", buffers, index);
}

void TextPrinter::bytes(std::string_view data, uint64_t whole) {
  size_t digits = 5;  // as many as the last place needs
  while (digits < 16 && whole && (whole - 1) >> (4 * digits)) ++digits;
  for (size_t at = 0; at < data.size(); at += 16) {
    std::string hex, text;
    for (size_t i = 0; i < 16; ++i) {
      if (i == 8) hex += ' ';
      if (at + i >= data.size()) {
        hex += "   ", text += ' ';
        continue;
      }
      const auto c = static_cast<unsigned char>(data[at + i]);
      hex += fmt::format("{:02x} ", c);
      text += c >= ' ' && c < 0x7f ? static_cast<char>(c) : '.';
    }
    out_ += fmt::format(" | {:0{}x}  {} {} |\n", at, digits, hex, text);
  }
}

void TextPrinter::unread(uint32_t pid, uint64_t address, uint64_t length) {
  out_ += fmt::format(" | <Cannot fetch {} byte{} from pid {} @{:#x}>\n", length,
                      length == 1 ? "" : "s", pid, address);
}

void TextPrinter::lost(const Where& of, uint64_t calls) {
  suspend();
  leader(of.tid, of.when);
  out_ += fmt::format("--- {} calls were not recorded here ---\n", calls);
}

void TextPrinter::end(const read::Losses&) { suspend(); }

}  // namespace sctrace
