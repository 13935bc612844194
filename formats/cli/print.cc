// `sctrace print`: a trace in strace's notation. Options are strace's own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <map>
#include <set>

#include "formats/cli/verbs.h"
#include "formats/read/decode.h"
#include "formats/read/endings.h"
#include "formats/read/structs.h"
#include "formats/read/trace.h"
#include "formats/text.h"
#include "formats/text_filter.h"

namespace sctrace::cli {

namespace {

// Descriptors whose data is dumped: numbers, "all", "none"; all but these behind `!`.
struct Descriptors {
  std::set<int64_t> named;
  bool others = false;
  bool has(int64_t fd) const { return named.contains(fd) != others; }
  bool none() const { return named.empty() && !others; }
};

struct Wish {
  std::string trace, output, form = "strace", hex, decode;
  std::vector<std::string> expressions, paths;
  TextOptions text;
  TextFilter filter;
  Descriptors read, write;        // whose data is shown in full
  std::set<std::string> signals;  // without SIG; only these, or all but these
  bool other_signals = true;
  bool shows(const std::string& signal) const { return signals.contains(signal) != other_signals; }
};

// -e status=successful,failed,… : only these.
void set_status(TextFilter& filter, std::string list) {
  const bool inverted = list.starts_with('!');
  if (inverted) list.erase(0, 1);
  bool ok = false, failed = false, other = false;
  for (size_t at = 0; at <= list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    const std::string one = list.substr(at, comma - at);
    if (one == "all")
      ok = failed = other = true;
    else if (one == "successful")
      ok = true;
    else if (one == "failed")
      failed = true;
    else if (one == "unfinished" || one == "unavailable" || one == "detached")
      other = true;
    else if (one != "none")
      throw std::invalid_argument("invalid status '" + one + "'");
    at = comma + 1;
  }
  filter.successful = ok != inverted, filter.failed = failed != inverted,
  filter.unfinished = other != inverted;
}

void set_decode_fds(Wish& w, const std::string& what) {
  static const std::map<std::string, int> kinds{{"path", TextOptions::path},
                                                {"socket", TextOptions::socket},
                                                {"dev", TextOptions::device},
                                                {"pidfd", TextOptions::process},
                                                {"all", 15},
                                                {"none", 0}};
  w.text.paths = 0;
  for (size_t at = 0; at <= what.size();) {
    const size_t comma = std::min(what.find(',', at), what.size());
    const auto kind = kinds.find(what.substr(at, comma - at));
    if (kind == kinds.end())
      throw std::invalid_argument("invalid descriptor decoding '" + what.substr(at, comma - at) +
                                  "'");
    w.text.paths |= kind->second;
    at = comma + 1;
  }
}

// -e signal=SIGINT,term,!…
void set_signals(Wish& w, std::string list) {
  w.signals.clear();
  w.other_signals = false;
  for (; list.starts_with('!'); list.erase(0, 1)) w.other_signals = !w.other_signals;
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    std::string one = list.substr(at, comma - at);
    at = comma + 1;
    if (one == "none") continue;
    if (one == "all") {
      w.other_signals = !w.other_signals;
      continue;
    }
    std::transform(one.begin(), one.end(), one.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    if (one[0] >= '0' && one[0] <= '9') one = signal_name(std::strtoull(one.c_str(), nullptr, 10));
    w.signals.insert(one.starts_with("SIG") ? one.substr(3) : one);
  }
}

Descriptors descriptor_set(std::string list) {
  Descriptors set;
  for (; list.starts_with('!'); list.erase(0, 1)) set.others = !set.others;
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    const std::string one = list.substr(at, comma - at);
    if (one == "all")
      set.named.clear(), set.others = !set.others;
    else if (one != "none")
      set.named.insert(std::atoll(one.c_str()));
    at = comma + 1;
  }
  return set;
}

// One -e: QUALIFIER=SET, or a SET of calls.
void express(Wish& w, const std::string& text) {
  const size_t equals = text.find('=');
  const std::string what = equals == text.npos ? "trace" : text.substr(0, equals);
  std::string set = equals == text.npos ? text : text.substr(equals + 1);
  if (what == "trace" || what == "t")
    w.filter.trace = call_set(set);
  else if (what == "status")
    set_status(w.filter, set);
  else if (what == "signal" || what == "signals" || what == "s")
    set_signals(w, set);
  else if (what == "decode-fds" || what == "decode-fd")
    set_decode_fds(w, set);
  else if (what == "verbose" || what == "v" || what == "abbrev" || what == "a") {
    (what[0] == 'a' ? w.text.brief : w.text.followed) = call_set(set);
  } else if (what == "raw" || what == "x")
    w.text.raw = call_set(set);
  else if (what == "quiet" || what == "silent" || what == "silence" || what == "q") {
    if (set.find("exit") != set.npos || set == "all") w.text.quiet = 3;
  } else if (what == "read")
    w.read = descriptor_set(set);
  else if (what == "write")
    w.write = descriptor_set(set);
  // inject, fault and kvm ask for nothing that a trace could still do
}

void add_options(CLI::App& app, Wish& w) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("TRACE", w.trace, "trace directory (default: the newest sctrace-* here)");
  app.add_option("-o,--output", w.output, "write to a file")->type_name("FILE");
  app.add_option("--as", w.form, "the notation: strace")->check(CLI::IsMember({"strace"}));
  app.add_option("-e", w.expressions,
                 "trace=, status=, signal=, decode-fds=, raw=, abbrev=, quiet=, or calls")
      ->type_name("EXPR")
      ->take_all()
      ->allow_extra_args(false);
  for (const char* name : {"trace", "status", "signal", "quiet", "silent", "silence", "raw",
                           "abbrev", "verbose", "read", "write"})
    app.add_option_function<std::string>(
           std::string("--") + name,
           [&w, name](const std::string& set) {
             w.expressions.push_back(std::string(name) + '=' + set);
           },
           std::string("-e ") + name + "=SET")
        ->type_name("SET");
  app.add_flag("--decode-fds{path},--decode-fd{path}", w.decode,
               "files behind descriptors: path, socket, dev, pidfd, all or none");
  app.add_option("-P,--trace-path", w.paths, "only calls that touch this file")
      ->type_name("PATH")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("-s,--string-limit", w.text.strsize, "characters of a string that are shown (32)")
      ->type_name("N");
  app.add_option("-a,--columns", w.text.column, "column of ` = ` (40)")->type_name("N");
  app.add_flag_function(
      "-v,--no-abbrev", [&w](int64_t) { w.text.verbose = true; },
      "whole structs, arguments and environments");
  app.add_flag_function(
      "-x", [&w](int64_t n) { w.text.hex = std::max(w.text.hex, n > 1 ? 2 : 1); },
      "strings with odd characters in hex; -xx: all");
  app.add_flag("--strings-in-hex{all}", w.hex,
               "as -xx; =non-ascii: as -x; =non-ascii-chars: only those characters");
  app.add_flag_function(
      "-y", [&w](int64_t n) { w.text.paths = n > 1 ? 15 : TextOptions::path; },
      "files behind descriptors, as far as the trace tells; -yy: sockets too");
  const std::map<std::string, TextOptions::Names> names{{"raw", TextOptions::Names::raw},
                                                        {"abbrev", TextOptions::Names::brief},
                                                        {"verbose", TextOptions::Names::both}};
  app.add_option("-X,--const-print-style", w.text.names,
                 "flags and constants: raw, abbrev or verbose")
      ->transform(CLI::CheckedTransformer(names).description(""))
      ->type_name("STYLE");
  app.add_flag("-f,--follow-forks", w.text.follow, "all threads and processes, not only the first");
  app.add_flag_function(
      "-t",
      [&w](int64_t n) { w.text.times = static_cast<TextOptions::Times>(std::min<int64_t>(n, 3)); },
      "time of day; -tt: microseconds, -ttt: since 1970");
  app.add_flag("-r,--relative-timestamps", w.text.relative, "time since the line before");
  app.add_flag("-T,--syscall-times", w.text.spent, "time spent in each call");
  app.add_flag("-n,--syscall-number", w.text.number, "number of each call");
  app.add_flag_function(
      "-z,--successful-only", [&w](int64_t) { w.filter.failed = w.filter.unfinished = false; },
      "only calls that succeeded");
  app.add_flag_function(
      "-Z,--failed-only", [&w](int64_t) { w.filter.successful = w.filter.unfinished = false; },
      "only calls that failed");
  app.add_flag_function(
      "-q", [&w](int64_t n) { w.text.quiet = static_cast<int>(n); }, "-qq: no exit status");
}

// Items of a timeline as lines.
class Lines {
 public:
  Lines(const Wish& wish, const read::Trace& trace, FILE* to)
      : wish_(wish), trace_(trace), filter_(wish.filter), printer_(wish.text), to_(to) {
    printer_.wall_offset = static_cast<uint64_t>(trace.clock().realtime_offset());
  }

  void add(const read::Item& item) {
    last_ = item.when;
    if (!wish_.text.follow && !first_) first_ = item.tid;
    if (wish_.text.follow) {
      threads_.insert(item.tid);
      printer_.several(threads_.size() > 1);
    }
    const bool mine = !first_ || item.tid == first_;
    switch (item.kind) {
      case read::Item::Kind::enter:
        if (files()) files_.enter(*item.call);
        endings_.enter(*item.call);
        if (mine) enter(item);
        break;
      case read::Item::Kind::leave:
        if (files()) files_.learn(*item.call);
        for (const read::Ending& one : endings_.leave(*item.call)) killed(one, item.when);
        if (mine) leave(item);
        if (files()) files_.forget(*item.call);
        break;
      case read::Item::Kind::signal:
        if (mine) signal(item);
        break;
      case read::Item::Kind::lost:
        if (mine) printer_.lost(item.tid, item.when, item.lost);
        break;
      case read::Item::Kind::gone:
        endings_.gone(item.pid);
        if (mine || item.pid == first_) gone(item);
        break;
      case read::Item::Kind::thread:
        if (files()) begin(*item.thread);
        if (mine && item.thread->began == wire::Began::image) program(item);
        break;
    }
    if (printer_.out().size() > 1 << 16) flush();
  }

  void end() {
    for (const read::Ending& one : endings_.at_end()) killed(one, 0);
    printer_.end();
    flush();
  }

 private:
  void begin(const read::Thread& thread) {
    files_.begin(thread);
    if (settled_ || files_.directory(thread.pid).empty()) return;
    settled_ = true;  // names for -P are relative to where the first program began
    for (const std::string& path : wish_.filter.paths)
      filter_.paths.push_back(files_.resolved(thread.pid, wire::file_directory, path));
  }

  // Nobody saw the execve that the trace begins behind, but that it was made is certain.
  void program(const read::Item& item) {
    const auto& images = trace_.images();
    const auto image = std::find_if(images.begin(), images.end(),
                                    [&](const read::Image& one) { return one.pid == item.pid; });
    if (image == images.end() || !programs_.insert(item.pid).second) return;
    Event e;
    e.pid = item.pid, e.tid = item.tid, e.nr = arch::nr_execve;
    e.began = e.finished = item.when;
    e.timed = false;
    e.name = "execve";
    e.ended = true;
    e.value = value_number(0);
    e.paths = {image->program};
    e.args = {value_text(image->program), value_of(Value::Kind::list), value_of(Value::Kind::word)};
    e.args[0].path = true;
    for (const std::string& one : image->arguments) e.args[1].items.push_back(value_text(one));
    e.args[1].whole = e.args[1].items.size();
    e.args[1].bounded = true;
    e.args[2].text = "...";  // its environment is not in the trace
    e.args[2].bare = true;
    if (filter_.wants(e)) printer_.leave(e);
  }

  void killed(const read::Ending& one, uint64_t when) {
    if (!wish_.text.follow && one.pid != first_) return;
    printer_.gone(
        one.pid, when ? when : last_,
        fmt::format("killed by {}{}", signal_name(one.signal), one.core ? " (core dumped)" : ""));
  }

  // `enter` may know the result already; the line must not.
  void enter(const read::Item& item) {
    if (filter_.late() || !filter_.paths.empty()) return;
    read::Call before = *item.call;
    before.ended = false;
    std::erase_if(before.memory, [](const read::Piece& p) { return p.out; });
    const Event e = read::decode(before, files(), &sockets_);
    if (filter_.wants(e)) printer_.enter(e);
  }

  void leave(const read::Item& item) {
    const Event e = read::decode(*item.call, files(), &sockets_);
    sockets_.learn(*item.call);
    if (filter_.wants(e)) {
      printer_.leave(e);
      if (!wish_.read.none() || !wish_.write.none()) dump(*item.call);
    }
  }

  // What the call moved, where -e read= or write= asks for it.
  void dump(const read::Call& call) {
    const arch::Row& row = arch::lookup(call.nr);
    const read::Memory memory(call);
    if (!row.arity || row.args[0].kind != arch::Kind::fd) return;
    const arch::Arg& a = row.args[1];
    const bool out = a.way == arch::Way::out;
    if (!(out ? wish_.read : wish_.write).has(static_cast<int32_t>(call.args[0]))) return;
    const auto bytes = [&](uint64_t at, uint64_t n) {
      const std::string all = memory.bytes(at, n, out);
      printer_.bytes(all, n);
      if (!all.empty() && all.size() < n && !memory.shortened(at, n, out))
        printer_.unread(call.pid, at + all.size(), n - all.size());
    };
    // Of a buffer all that was to be written, of a vector what was.
    if (a.kind == arch::Kind::buffer && !out) return bytes(call.args[1], call.args[2]);
    if (call.result <= 0) return;
    uint64_t left = static_cast<uint64_t>(call.result);
    if (a.kind == arch::Kind::buffer) return bytes(call.args[1], left);
    if (a.kind != arch::Kind::iovec) return;
    uint64_t pair[2];
    for (uint64_t i = 0;
         i < call.args[2] && left && memory.whole(pair, call.args[1] + i * 16, 16, false); ++i) {
      const uint64_t n = std::min(pair[1], left);
      left -= n;
      printer_.buffer(i, n);
      bytes(pair[0], n);
    }
  }

  const read::Files* files() const {
    const bool asked = wish_.text.paths || wish_.text.verbose;  // what bpf() tells is by file
    return asked || !wish_.filter.paths.empty() ? &files_ : nullptr;
  }

  void signal(const read::Item& item) {
    uint8_t info[128] = {};
    std::copy(std::begin(item.signal->siginfo), std::end(item.signal->siginfo), info);
    const std::string name = signal_name(read::peek<uint32_t>(info));
    if (wish_.shows(name.starts_with("SIG") ? name.substr(3) : name))
      printer_.signal(item.tid, item.when, name, read::siginfo_value(info, sizeof info));
  }

  void gone(const read::Item& item) {
    const bool says =
        item.call && (item.call->nr == arch::nr_exit_group || item.call->nr == arch::nr_exit);
    printer_.gone(item.tid, item.when,
                  says ? fmt::format("exited with {}", item.call->args[0] & 0xff) : "");
  }

  void flush() {
    std::fwrite(printer_.out().data(), 1, printer_.out().size(), to_);
    printer_.out().clear();
  }

  const Wish& wish_;
  const read::Trace& trace_;
  read::Endings endings_;
  std::set<uint32_t> programs_;
  uint64_t last_ = 0;
  TextFilter filter_;
  bool settled_ = false;
  TextPrinter printer_;
  read::Files files_;
  read::NetlinkSockets sockets_;
  std::set<uint32_t> threads_;
  uint32_t first_ = 0;
  FILE* to_;
};

}  // namespace

int verb_print(int argc, char** argv) {
  CLI::App app("Shows a trace as strace would have shown the program.");
  Wish wish;
  add_options(app, wish);
  if (const auto status = parse(app, argc, argv)) return *status;
  try {
    for (const std::string& text : wish.expressions) express(wish, text);
    if (!wish.decode.empty()) set_decode_fds(wish, wish.decode);
  } catch (const std::exception& wrong) {
    fmt::print(stderr, "sctrace print: {}\n", wrong.what());
    return 2;
  }
  if (!wish.hex.empty())
    wish.text.hex = wish.hex == "all" ? 2 : wish.hex == "non-ascii-chars" ? 3 : 1;
  wish.filter.paths = wish.paths;
  wish.text.file = !wish.output.empty() || wish.form == "strace";
  FILE* to = stdout;
  if (!wish.output.empty() && !(to = std::fopen(wish.output.c_str(), "w"))) {
    fmt::print(stderr, "sctrace print: {}: cannot be written\n", wish.output);
    return 1;
  }
  const read::Trace trace(trace_named(wish.trace));
  read::Timeline timeline(trace);
  Lines lines(wish, trace, to);
  for (read::Item item; timeline.next(item);) lines.add(item);
  lines.end();
  const bool failed = std::ferror(to) | (to == stdout ? std::fflush(to) : std::fclose(to));
  say_losses(timeline.losses());
  return failed ? 1 : 0;
}

}  // namespace sctrace::cli
