// `sctrace ctl`: on a running program, from outside. A snapshot is made of the files that it
// shares; for the rest one of its threads is lent (lend.h).
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "formats/cli/options.h"
#include "formats/cli/processes.h"
#include "formats/cli/switch.h"
#include "formats/cli/trigger.h"
#include "formats/cli/verbs.h"
#include "formats/cli/watch.h"
#include "formats/filter.h"
#include "formats/read/snapshot.h"
#include "formats/rotation.h"
#include "formats/text_filter.h"

namespace sctrace::cli {

namespace {

struct Asked {
  std::string subject, action, value, output;
  std::vector<std::string> when;
  uint64_t keep = 0;
  bool tree = false, sync = false, json = false;
};

std::string default_name(const std::string& trace) {
  const std::string base = std::filesystem::path(trace).filename().string();
  std::error_code error;
  for (int n = 1;; ++n)
    if (const std::string name = fmt::format("{}-snapshot-{}", base, n);
        !std::filesystem::exists(name, error))
      return name;
}

int take_now(const Asked& asked, const Meant& meant) {
  const std::string to = asked.output.empty() ? default_name(meant.trace) : asked.output;
  const auto before = std::chrono::steady_clock::now();
  const read::Snapshot done = read::snapshot(meant.trace, to);
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - before;
  fmt::print(stderr, "sctrace: snapshot in {}: {} rings, {} bytes, {:.1f} ms\n", to, done.rings,
             done.bytes, spent.count());
  return 0;
}

int take_when(const Asked& asked, const Meant& meant, const Occasions& when) {
  using namespace std::chrono_literals;
  const std::string prefix = asked.output.empty() ? default_name(meant.trace) : asked.output;
  Watch watch(meant.trace);
  Trigger trigger(meant.trace, when, prefix, asked.keep);
  catch_interrupts();
  for (bool running = true; running && !interrupted(); std::this_thread::sleep_for(10ms))
    trigger.look(running = watch.running());
  say_losses(trigger.losses());
  return 0;
}

int snapshot(const Asked& asked) {
  const Occasions when = occasions_of(asked.when);
  const Meant meant = trace_meant(asked.subject);
  return when.empty() ? take_now(asked, meant) : take_when(asked, meant, when);
}

// What the shared pages of the trace's files hold is on the disk when this returns.
int flush(const Asked& asked) {
  const Meant meant = trace_meant(asked.subject);
  int status = 0;
  for (const auto& entry : std::filesystem::directory_iterator(meant.trace)) {
    if (!entry.is_regular_file()) continue;
    const int fd = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || ::fsync(fd) < 0) {
      fmt::print(stderr, "sctrace: {}: {}\n", entry.path().string(), std::strerror(errno));
      status = 1;
    }
    if (fd >= 0) ::close(fd);
  }
  return status;
}

// What has left the rings becomes a part of its own.
int rotate(const Asked& asked) {
  using namespace std::chrono_literals;
  const Meant meant = trace_meant(asked.subject);
  const read::Trace trace(meant.trace);
  if (std::all_of(trace.images().begin(), trace.images().end(),
                  [](const read::Image& image) { return image.mode == wire::Mode::overwrite; }))
    throw read::BadTrace(meant.trace, 0, "a flight recorder has no parts: snapshot copies it");
  Rotation rotation(meant.trace, 0, 0);
  for (int tries = 20; tries-- && !rotation.is_settled();) std::this_thread::sleep_for(100ms);
  if (!rotation.cut()) {
    fmt::print(stderr, "sctrace: {}: nothing has left the rings since\n", meant.trace);
    return 0;
  }
  std::this_thread::sleep_for(Rotation::late);
  rotation.settle();
  fmt::print(stderr, "sctrace: {}\n", rotation.newest());
  return 0;
}

int say_status(const Asked& asked) {
  std::string all;
  for (const Carrier& one : subjects(asked.subject, asked.tree)) {
    const Status status = status_of(one);
    if (asked.json)
      all += (all.empty() ? "\n  " : ",\n  ") + as_json(one, status);
    else
      all += shown(one, status) + "\n";
  }
  if (asked.json)
    fmt::print("[{}\n]\n", all);
  else
    fmt::print("{}", all);
  return 0;
}

// Each SIZE or CALLS=SIZE, as the library reads it; nothing that it would need memory for.
void check_strsize(const std::string& text) {
  std::string word;
  if (text.find('/') != text.npos) throw std::invalid_argument("strsize: no /regex/ here");
  for (std::istringstream words(text); std::getline(words, word, ',');) {
    const size_t equals = word.find('=');
    std::string size = word.substr(equals == word.npos ? 0 : equals + 1);
    if (equals != word.npos) (void)call_set(word.substr(0, equals));
    if (!size.empty() && std::strchr("KkMmGg", size.back())) size.pop_back();
    const bool digits = !size.empty() && size.find_first_not_of("0123456789") == size.npos;
    if (size != "all" && !digits)
      throw std::invalid_argument(fmt::format("strsize `{}`: expected a size or all", word));
  }
}

uint32_t capture_of(const std::string& text) {
  if (text == "none") return 0;
  if (text == "in") return 1;
  if (text == "out") return 2;
  if (text == "in,out" || text == "out,in") return 3;
  throw std::invalid_argument(fmt::format("capture `{}`: expected none, in, out or in,out", text));
}

void check_stack(const std::string& text) {
  for (const char* known : {"off", "fp", "unwind", "auto"})
    if (text == known) return;
  throw std::invalid_argument(fmt::format("stack `{}`: expected off, fp, unwind or auto", text));
}

bool takes_value(const std::string& action) {
  return action == "filter" || action == "capture" || action == "strsize" || action == "stack";
}

// As a setting in the environment, for what the program executes.
void tell_later_programs(const Asked& asked, wire::Wish& wish) {
  std::string line = "SCTRACE_" + asked.action;
  for (char& c : line)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  line += "=" + asked.value + "\n";
  constexpr size_t most = 1024;  // a line that the library reads
  if (line.size() > most || asked.value.find('\n') != asked.value.npos)
    throw std::invalid_argument(fmt::format("{}: one line of 1000 bytes at most", asked.action));
  std::memcpy(wish.told, line.data(), line.size());
}

wire::Wish wish_of(const Asked& asked) {
  wire::Wish wish{};
  wish.deed = asked.action == "on"    ? wire::Deed::on
              : asked.action == "off" ? wire::Deed::off
                                      : wire::Deed::settings;
  if (asked.action == "filter")
    wish.sets_filter = 1,
    wish.filter = asked.value.empty() ? wire::Expression{} : filter_of(asked.value);
  if (asked.action == "capture") wish.sets_capture = 1, wish.capture = capture_of(asked.value);
  if (asked.action == "strsize") {
    check_strsize(asked.value);
    if (asked.value.empty() || asked.value.size() >= sizeof wish.strsize)
      throw std::invalid_argument("strsize: expected a size or all");
    wish.sets_strsize = 1;
    std::memcpy(wish.strsize, asked.value.data(), asked.value.size());
  }
  if (asked.action == "stack") {
    check_stack(asked.value);
    wish.sets_stack = 1;
    std::memcpy(wish.stack, asked.value.data(), asked.value.size());
  }
  if (takes_value(asked.action)) tell_later_programs(asked, wish);
  return wish;
}

int change(const Asked& asked) {
  const wire::Wish wish = wish_of(asked);
  int status = 0;
  for (const Carrier& one : subjects(asked.subject, asked.tree)) try {
      const Switched done = carry_out(one, wish, asked.sync);
      fmt::print(stderr, "sctrace: {} ({}): {} in {:.1f} ms, {} threads{}\n", one.pid,
                 one.shown_name(), asked.action, done.ms, done.threads,
                 done.outcome == wire::Outcome::doors_stay
                     ? "; engines or a dispatch of its own keep doors open"
                     : "");
      if (!done.unproven) continue;
      status = 1;
      fmt::print(stderr, "sctrace: {} ({}): of {} threads it is not proven\n", one.pid,
                 one.shown_name(), done.unproven);
    } catch (const CantReach& bad) {
      if (!asked.tree) throw;
      fmt::print(stderr, "sctrace: {}\n", bad.what());
      status = 1;
    }
  return status;
}

int act(const Asked& asked) {
  if (asked.action == "snapshot") return snapshot(asked);
  if (asked.action == "status") return say_status(asked);
  if (asked.action == "flush") return flush(asked);
  if (asked.action == "rotate") return rotate(asked);
  return change(asked);
}

constexpr char about[] =
    "sctrace ctl WHAT on|off|status|filter EXPR|capture WHAT|strsize SIZE|stack HOW|flush|rotate|"
    "snapshot [OPTION]\n"
    "A running program that carries libsctrace.so, from outside.\n"
    "on, off: all calls of all threads are recorded, or none: then the program's text is the\n"
    "file's own and nothing of sctrace runs in it (SCTRACE_START=off begins so). Without --sync\n"
    "each thread notices at its next call: calls that are being begun meanwhile may be missed, or\n"
    "written. With --sync, after `on` has returned no call that a thread starts is missed, after\n"
    "`off` no event is written: of each thread that is then known. Exit status 1, and a line: of\n"
    "so many it is not, as of those that sleep in a call that `on` would end or make longer\n"
    "(epoll_wait with a time): they are left alone, and seen from their next call by a door on.\n"
    "A call that was begun before `on` is not in the trace; of one that `off` found under way the\n"
    "end is not (status counts them).\n"
    "For this one thread of the program is stopped for a moment by ptrace, and does the work\n"
    "itself, with the rights that the program has; at `on` each other is stopped for a shorter\n"
    "one, to become ours. So who may not trace it may not do this:\n"
    "another user, or, where kernel.yama.ptrace_scope is 1, who did not start it. Refused where a\n"
    "seccomp filter is in force, or a debugger is attached.\n"
    "filter '' removes a filter. flush: what was recorded is on the disk when it returns.\n"
    "rotate: what has left the rings is moved to a trace of its own, as record --rotate does it.\n"
    "snapshot copies the trace as it is now, while the program goes on: of a flight recorder\n"
    "(--mode overwrite) the newest calls of each thread.";

}  // namespace

int verb_ctl(int argc, char** argv) {
  CLI::App app(about);
  Asked asked;
  app.add_option("WHAT", asked.subject, "pid or name of a running program, or its trace")
      ->required();
  offer(app.add_option(
            "ACTION", asked.action,
            "on, off: of all threads all calls are recorded, or none, and then text, handlers and "
            "dispatch are the program's own; each thread notices at its next call. filter, "
            "capture, strsize, stack: for what is called from then on, and what is executed then. "
            "status. flush: all that was recorded is on the disk. rotate: it is moved to TRACE.N. "
            "snapshot: a copy of the trace"),
        "on off status filter capture strsize stack flush rotate snapshot")
      ->required()
      ->check(CLI::IsMember({"on", "off", "status", "filter", "capture", "strsize", "stack",
                             "flush", "rotate", "snapshot"}));
  CLI::Option* value =
      app.add_option("VALUE", asked.value,
                     "of filter, capture, strsize, stack: as SCTRACE_FILTER and so on take it");
  app.add_flag("--tree", asked.tree, "and all its descendants that carry the library");
  app.add_flag(
      "--sync", asked.sync,
      "on, off: return when it is proven of each thread that it has noticed or can't be in "
      "the way (5 s at most): no call that starts after `on` is missed, no event is written "
      "after `off`");
  app.add_flag("--json", asked.json,
               "status: a list of objects\n"
               "pid, name, state (on, off), doors (open, shut), pending, threads, threads_seen, "
               "threads_known (from their next call on), threads_unseen, sites_open, sites_shut, "
               "texts_left, calls_cut, trace.");
  app.add_option("-o,--output", asked.output,
                 "snapshot: where to (TRACE-snapshot-N); with --on: DIR-1, DIR-2")
      ->type_name("DIR");
  app.add_option("--on", asked.when,
                 "snapshot: go on until the program ends, and take one whenever a call is such as "
                 "this says (print --filter), or exit!=0, or signal=SEGV,ABRT; at most one in 10 "
                 "ms\nAs --snapshot-on of sctrace-record(1).")
      ->type_name("EXPR")
      ->allow_extra_args(false);
  app.add_option("--keep", asked.keep, "of these, remove all but the newest N (0: none)")
      ->type_name("N");
  if (const auto status = parse(app, argc, argv)) return *status;
  const bool takes = takes_value(asked.action);
  if (takes != (value->count() > 0)) {
    fmt::print(stderr, "sctrace ctl: {} {}\n", asked.action,
               takes ? "needs a value" : "takes no value");
    return 2;
  }
  try {
    return act(asked);
  } catch (const std::invalid_argument& wrong) {
    fmt::print(stderr, "sctrace ctl: {}\n", wrong.what());
    return 2;
  }
}

}  // namespace sctrace::cli
