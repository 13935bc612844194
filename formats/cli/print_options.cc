// The options of `print`, and what they come to.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include "formats/cli/options.h"
#include "formats/cli/print_options.h"
#include "formats/counts_columns.h"
#include "formats/filter.h"

namespace sctrace::cli {

namespace {

// Digits behind the point for a unit: s, ms, us or ns; -1 if it is none.
int digits_of(const std::string& unit) {
  static const std::map<std::string, int> digits{{"s", 0}, {"ms", 3}, {"us", 6}, {"ns", 9}};
  const auto found = digits.find(unit);
  return found == digits.end() ? -1 : found->second;
}

int precision(const std::string& unit) {
  const int digits = digits_of(unit);
  if (digits < 0) throw std::invalid_argument("invalid precision '" + unit + "'");
  return digits;
}

// "12", "4.5e2ms": ns. Microseconds unless it says otherwise.
uint64_t duration(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const int digits = *end ? digits_of(end) : 6;
  if (end == text.c_str() || !(number >= 0) || number > 1e15 || digits < 0)
    throw std::invalid_argument("invalid overhead '" + text + "'");
  double ns = number;
  for (int i = digits; i < 9; ++i) ns *= 10;
  return static_cast<uint64_t>(ns);
}

// TextOptions::hex.
int hex_style(const std::string& which) {
  static const std::map<std::string, int> styles{
      {"none", 0}, {"non-ascii", 1}, {"all", 2}, {"non-ascii-chars", 3}};
  const auto found = styles.find(which);
  if (found == styles.end())
    throw std::invalid_argument("invalid --strings-in-hex '" + which + "'");
  return found->second;
}

// [[format:]none|time|unix][,[precision:]UNIT]
void set_times(TextOptions& text, const std::string& wanted) {
  using Times = TextOptions::Times;
  if (text.times == Times::none) text.times = Times::clock;
  for (size_t at = 0; at <= wanted.size();) {
    const size_t comma = std::min(wanted.find(',', at), wanted.size());
    std::string one = wanted.substr(at, comma - at);
    at = comma + 1;
    const bool format = one.starts_with("format:"), unit = one.starts_with("precision:");
    if (format || unit) one.erase(0, one.find(':') + 1);
    if (!unit && one == "none")
      text.times = Times::none;
    else if (!unit && one == "time")
      text.times = Times::clock;
    else if (!unit && one == "unix")
      text.times = Times::epoch;
    else if (!format && digits_of(one) >= 0)
      text.times_digits = digits_of(one);
    else
      throw std::invalid_argument("invalid timestamp '" + one + "'");
  }
}

void add_output(CLI::App& app, Wish& w) {
  app.add_option("TRACE", w.trace,
                 "trace directory (default: the newest sctrace-* here)\n"
                 "With --follow also the pid or the name of a running program.");
  app.add_flag("--follow", w.grows,
               "go on as the trace grows, until its programs end or ^C\n"
               "Calls that wait are shown when they return.");
  app.add_option("-o,--output", w.output, "write to a file")->type_name("FILE");
  app.add_flag("-A,--output-append-mode", w.append, "with -o: append")->group(in_manual);
  app.add_flag_function(
      "-f,--follow-forks", [&w](int64_t n) { w.text.follow = true, w.apart |= n > 1; },
      "all threads, not only the first; -ff: each in FILE.TID\n"
      "-ff only with -o FILE; else as -f.");
  app.add_flag("--output-separately", w.apart, "with -o FILE: each thread in FILE.TID")
      ->group(in_manual);
  offer(app.add_option("--as", w.form, "the notation: strace, ftrace or json"),
        "strace ftrace json")
      ->check(CLI::IsMember({"strace", "ftrace", "json"}))
      ->type_name("NOTATION");
  app.add_flag_function(
      "--json", [&w](int64_t) { w.form = "json"; }, "--as json");
  app.add_flag("--types", w.types, "with --as ftrace: C types of the arguments too");
}

void add_filters(CLI::App& app, Wish& w) {
  app.add_option("-e", w.expressions,
                 "trace= status= signal= decode-fds= raw= abbrev= quiet=, or calls\n"
                 "As strace's. Each has a long form: -e trace=SET is the same as --trace SET.")
      ->type_name("EXPR")
      ->take_all()
      ->allow_extra_args(false);
  for (const char* name : {"trace", "status", "signal", "quiet", "silent", "silence", "raw",
                           "abbrev", "verbose", "read", "write", "inject", "fault", "kvm"})
    app.add_option_function<std::string>(
           std::string("--") + name,
           [&w, name](const std::string& set) {
             w.expressions.push_back(std::string(name) + '=' + set);
           },
           std::string("the same as -e ") + name + "=SET")
        ->type_name("SET")
        ->group(in_manual);
  app.add_flag("--decode-fds{path},--decode-fd{path}", w.decode,
               "files behind descriptors: path, socket, dev, pidfd, all or none")
      ->group(in_manual);
  app.add_option_function<std::string>(
         "--decode-pids,--decode-pid",
         [&w](const std::string& what) { w.expressions.push_back("decode-pids=" + what); },
         "what processes are called: comm, all or none")
      ->type_name("SET")
      ->group(in_manual);
  app.add_option("-P,--trace-path", w.paths, "only calls that touch this file")
      ->type_name("PATH")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--filter", w.expression,
                 "only calls such as this says: `dur>1ms || errno==ENOENT`\n"
                 "It knows name, nr, fd, path, ret, errno, dur, pid, tid and arg0 to arg5; "
                 "== != < <= > >=, & (has these bits), ~ (a pattern), && || ! and ().")
      ->type_name("EXPR");
  app.add_flag_function(
      "-z,--successful-only", [&w](int64_t) { w.filter.failed = w.filter.unfinished = false; },
      "only calls that succeeded");
  app.add_flag_function(
      "-Z,--failed-only", [&w](int64_t) { w.filter.successful = w.filter.unfinished = false; },
      "only calls that failed");
}

void add_values(CLI::App& app, Wish& w) {
  app.add_option("-s,--string-limit", w.text.strsize, "characters of a string that are shown (32)")
      ->type_name("N");
  app.add_option("-a,--columns", w.text.column, "column of ` = ` (40)")->type_name("N");
  app.add_flag("-N,--arg-names", w.text.names_of_arguments, "name=value for each argument");
  app.add_flag_function(
      "-v,--no-abbrev", [&w](int64_t) { w.text.verbose = true; },
      "whole structs, arguments and environments");
  app.add_flag_function(
      "-x", [&w](int64_t n) { w.text.hex = std::max(w.text.hex, n > 1 ? 2 : 1); },
      "strings with odd characters in hex; -xx: all");
  app.add_flag("--strings-in-hex{all}", w.hex,
               "as -xx; =non-ascii: as -x; =non-ascii-chars: only those; =none")
      ->group(in_manual);
  app.add_flag_function(
      "-y", [&w](int64_t n) { w.text.paths = n > 1 ? 15 : TextOptions::path; },
      "files behind descriptors, if known; -yy: sockets too");
  app.add_flag_function(
      "-Y", [&w](int64_t) { w.text.tasks = true; }, "what processes are called, behind their pids");
  const std::map<std::string, TextOptions::Names> names{{"raw", TextOptions::Names::raw},
                                                        {"abbrev", TextOptions::Names::brief},
                                                        {"verbose", TextOptions::Names::both}};
  offer(app.add_option("-X,--const-print-style", w.text.names,
                       "flags and constants: raw, abbrev or verbose"),
        "raw abbrev verbose")
      ->transform(CLI::CheckedTransformer(names).description(""))
      ->type_name("STYLE");
}

void add_times(CLI::App& app, Wish& w) {
  app.add_flag_function(
      "-t",
      [&w](int64_t n) {
        w.text.times = n > 2 ? TextOptions::Times::epoch : TextOptions::Times::clock;
        w.text.times_digits = n > 1 ? 6 : 0;
      },
      "time of day; -tt: microseconds, -ttt: since 1970");
  app.add_flag("--absolute-timestamps{time},--timestamps{time}", w.absolute,
               "=none, time or unix and s, ms, us or ns, with a comma between")
      ->group(in_manual);
  app.add_flag("-r{us},--relative-timestamps{us}", w.since,
               "time since the line before; =s, ms, us or ns");
  app.add_flag("-T{us},--syscall-times{us}", w.spent, "time spent in each call; =s, ms, us or ns");
  app.add_flag("-n,--syscall-number", w.text.number, "number of each call");
  app.add_flag(
      "-k,--stack-traces", w.text.stack,
      "who called, behind each call and signal\nAs far as it was recorded: record --stack.");
  app.add_flag("-i,--instruction-pointer", w.text.site, "where each call was made");
}

void add_counts(CLI::App& app, Wish& w) {
  app.add_flag_function(
      "-c,--summary-only", [&w](int64_t) { w.count = true, w.lines = false; },
      "calls, errors and time by system call, not lines");
  app.add_flag("-C,--summary", w.count, "the same behind the lines");
  app.add_option("-S,--summary-sort-by", w.order, "by one of the columns, or nothing (time)")
      ->type_name("COLUMN");
  app.add_option("-U,--summary-columns", w.columns,
                 "which columns, as strace names them\n"
                 "time-percent, total-time, min-time, max-time, avg-time, calls, errors, name.")
      ->type_name("COLUMNS");
  app.add_flag_function(
         "-w,--summary-wall-clock", [](int64_t) {},
         "counts tell time on the wall; a trace knows no other")
      ->group(in_manual);
  app.add_option_function<std::string>(
         "-O,--summary-syscall-overhead",
         [&w](const std::string& text) { w.overhead = duration(text); },
         "time to take off each call\nA number with s, ms, us (if nothing is said) or ns.")
      ->type_name("TIME");
}

// strace's options that steer a running program: accepted, so that a command line can stay as it
// is, and said to mean nothing.
void add_pointless(CLI::App& app, Wish& w) {
  for (const char* name : {"-D,--daemonize", "-d,--debug", "--seccomp-bpf"})
    app.add_flag_function(
           name, [&w, name](int64_t) { w.pointless.push_back(name); }, "")
        ->group("");
  for (const char* name :
       {"-I,--interruptible", "-b,--detach-on", "-E,--env", "-u,--user", "-p,--attach"})
    app.add_option_function<std::string>(
           name, [&w, name](const std::string&) { w.pointless.push_back(name); }, "")
        ->group("");
}

}  // namespace

void add_options(CLI::App& app, Wish& w) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_output(app, w);
  add_filters(app, w);
  add_values(app, w);
  add_times(app, w);
  add_counts(app, w);
  add_pointless(app, w);
  app.add_flag_function(
      "-q",
      [&w](int64_t n) {
        set_quiet(w, n > 2 ? "all" : n > 1 ? "attach,personality,exit" : "attach");
      },
      "-qq: no exit status; -qqq: no superseded thread either");
}

void settle(Wish& w) {
  for (const std::string& text : w.expressions) express(w, text);
  if (!w.expression.empty()) w.only = filter_of(w.expression);
  if (!w.decode.empty()) set_decode_fds(w, w.decode);
  if (!w.hex.empty()) w.text.hex = hex_style(w.hex);
  if (!w.absolute.empty()) set_times(w.text, w.absolute);
  if (!w.since.empty()) w.text.relative = true, w.text.relative_digits = precision(w.since);
  if (!w.spent.empty()) w.text.spent = true, w.text.spent_digits = precision(w.spent);
  w.filter.paths = w.paths;
  w.text.file = !w.output.empty() || w.form == "strace";
  if (w.output.empty()) w.apart = false;  // as in strace: there is nothing to keep apart
  column_named(w.order);
  columns_named(w.columns);
}

}  // namespace sctrace::cli
