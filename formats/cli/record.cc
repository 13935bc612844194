// `sctrace record`: sets the environment, runs the program, says where the trace is.
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstring>
#include <ctime>
#include <deque>
#include <filesystem>
#include <optional>

#include "formats/cli/amounts.h"
#include "formats/cli/injections.h"
#include "formats/cli/launch.h"
#include "formats/cli/limits.h"
#include "formats/cli/options.h"
#include "formats/cli/program.h"
#include "formats/cli/settings.h"
#include "formats/cli/trigger.h"
#include "formats/cli/verbs.h"
#include "formats/drain.h"
#include "formats/filter.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

namespace fs = std::filesystem;

namespace {

// One more injection beside those that were given before.
std::string add_injection(const std::string& text, Launch& what) {
  std::string wrong = wrong_with_injection(text);
  if (!wrong.empty()) return wrong;
  for (auto& [name, value] : what.settings)
    if (name == "SCTRACE_INJECT") return value += ' ' + text, wrong;
  what.settings.emplace_back("SCTRACE_INJECT", text);
  return wrong;
}

// What -e means: trace=SET or a set alone, inject=…, fault=…. What is wrong with it, or nothing.
std::string add_expression(const std::string& text, Launch& what) {
  const size_t equals = text.find('=');
  if (text.starts_with("inject=") || text.starts_with("fault=")) return add_injection(text, what);
  const std::string key = equals == std::string::npos ? "trace" : text.substr(0, equals);
  const std::string value = equals == std::string::npos ? text : text.substr(equals + 1);
  if (key == "trace" || key == "t")
    what.settings.emplace_back("SCTRACE_TRACE", value);
  else
    return "only trace=, inject= and fault= are known";
  return {};
}

// The command and the -e among what was given; what is wrong with them.
std::string take_command(const std::vector<std::string>& expressions, Launch& what) {
  for (const std::string& text : expressions)
    if (const std::string wrong = add_expression(text, what); !wrong.empty())
      return fmt::format("-e {}: {}", text, wrong);
  const bool marked = !what.command.empty() && what.command.front() == "--";
  if (marked) what.command.erase(what.command.begin());
  if (what.command.empty()) return "no command; usage: sctrace record [OPTION...] -- CMD [ARG...]";
  if (!marked && what.command.front().starts_with("-"))
    return "no such option: " + what.command.front();
  return {};
}

// The name of the directory, complete but for %p; absolute, since the program may go elsewhere.
std::string output_path(std::string pattern, const std::string& program) {
  char host[65] = {};
  ::gethostname(host, sizeof host - 1);
  std::string name;
  for (size_t n = 0; n < pattern.size(); ++n) {
    const char key = pattern[n] == '%' && n + 1 < pattern.size() ? pattern[n + 1] : '\0';
    if (key == 'e')
      name += fs::path(program).filename().string();
    else if (key == 'h')
      name += host;
    else if (key == 't')
      name += fmt::to_string(std::time(nullptr));
    else {
      name += pattern[n];
      continue;
    }
    ++n;
  }
  return name;
}

// As perf does: what was there under the name is kept once, as NAME.old.
void make_way(const std::string& directory) {
  std::error_code error;
  if (!fs::exists(directory + "/" + wire::session_name, error)) return;
  const std::string old = directory + ".old";
  if (fs::exists(old + "/" + wire::session_name, error)) fs::remove_all(old, error);
  fs::rename(directory, old, error);
  if (error)
    throw read::BadTrace(directory, 0, "holds a trace already, and cannot be renamed to " + old);
}

void say_where(const Ended& ended, const std::string& path) {
  const std::string shown = fs::path(ended.output).lexically_proximate(fs::current_path()).string();
  try {
    std::vector<read::BadTrace> refused;
    const read::Trace trace(ended.output, &refused);
    const uint64_t calls = recorded(trace);
    uint64_t lost = 0;
    for (const read::Image& image : trace.images())
      for (const read::Slot& slot : image.slots) lost += slot.lost;
    fmt::print(stderr, "sctrace: trace in {} ({} call{}{})\n", shown, calls, calls == 1 ? "" : "s",
               lost ? fmt::format(", {} lost", lost) : "");
  } catch (const read::BadTrace&) {
    fmt::print(stderr, "sctrace: nothing was recorded\n");
    for (const Finding& one : examine(path))
      if (one.prevents) fmt::print(stderr, "sctrace: {}\n", one.why);
  }
}

// As if the program had been started without us. A signal's death is repeated here; if it cannot be
// (blocked, ignored), 128+n as shells report it.
int pass_on_status(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  const int number = WTERMSIG(status);
  const rlimit no_core{0, 0};  // the program has left its own
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::signal(number, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::kill(::getpid(), number);
  return 128 + number;
}

// Whether another process takes what threads have recorded, so that they need not.
bool drains(const std::string& how) {
  cpu_set_t usable;
  if (how != "auto") return how == "on";
  return ::sched_getaffinity(0, sizeof usable, &usable) == 0 && CPU_COUNT(&usable) > 1;
}

// What watches the trace while the program runs.
struct Beside {
  bool drain = false;
  uint64_t part = 0, keep = 0;  // bytes of each, and how many; 0: the trace is not cut
  Limits limits;
};

// If the program itself was: nobody else knows.
std::vector<read::Ending> killed_in(const Ended& ended) {
  if (!WIFSIGNALED(ended.wait_status)) return {};
  return {{.pid = ended.pid, .signal = static_cast<uint32_t>(WTERMSIG(ended.wait_status))}};
}

int run_and_tell(Launch& what, const std::string& output, bool quiet, Beside& beside,
                 LateTrigger* trigger) {
  if (const int status = find_what(what)) return status;
  const char* named = std::getenv("SCTRACE_OUTPUT");
  const std::string shown = output_path(!output.empty() ? output
                                        : named         ? named
                                                        : "sctrace-%e-%p",
                                        what.path);
  what.output = fs::absolute(shown).string();
  if (shown.find("%p") == std::string::npos) make_way(what.output);
  if (trigger || beside.limits.any())
    what.meanwhile = [trigger, &beside](const std::string& trace) {
      if (trigger) trigger->look(trace, true);
      if (beside.limits.any()) beside.limits.look(trace);
    };
  std::optional<DrainingChild> drainer;
  std::optional<Rotation> rotation;
  if (beside.drain)
    what.started = [&](const std::string& trace) {
      if (beside.part) rotation.emplace(trace, beside.part, beside.keep);
      drainer.emplace(trace, rotation ? &*rotation : nullptr);
    };
  const Ended ended = launch(what);
  drainer.reset();
  if (trigger && !ended.exec_error) trigger->look(ended.output, false, killed_in(ended));
  if (ended.exec_error) {
    fmt::print(stderr, "sctrace: {}: {}\n", what.path, std::strerror(ended.exec_error));
    return ended.exec_error == ENOENT ? 127 : 126;
  }
  if (!quiet) say_where(ended, what.path);
  return pass_on_status(ended.wait_status);
}

}  // namespace

int verb_record(int argc, char** argv) {
  CLI::App app(
      "sctrace record [OPTION...] -- CMD [ARG...]\n"
      "Runs CMD with the library in it. Passes on the status of CMD; 127: no such command, 126: "
      "not executable.");
  Launch what;
  std::string output;
  std::vector<std::string> expressions;
  std::deque<std::string>
      values;  // of settings(), in their order; a deque, for the options hold on to them
  bool quiet = false, alone = false, follow = false;
  app.add_option("-o,--output", output,
                 "directory of the trace (sctrace-%e-%p); one that is there becomes DIR.old")
      ->type_name("DIR");
  app.add_option("-e", expressions,
                 "trace=SET: which calls; inject=SET:…, fault=SET:…; as strace\n"
                 "trace= is SCTRACE_TRACE of libsctrace.so(7). inject= and fault= take strace's "
                 "error=, retval=, signal=, delay_enter=, delay_exit=, when= and, beside these, "
                 "prob=, path=, fd= and seed=.")
      ->type_name("EXPR")
      ->allow_extra_args(false);
  app.add_option_function<std::vector<std::string>>(
         "--inject",
         [&](const std::vector<std::string>& all) {
           for (const std::string& one : all) expressions.push_back("inject=" + one);
         },
         "the same as -e inject=")
      ->type_name("EXPR")
      ->allow_extra_args(false);
  app.add_option_function<std::vector<std::string>>(
         "--fault",
         [&](const std::vector<std::string>& all) {
           for (const std::string& one : all) expressions.push_back("fault=" + one);
         },
         "the same as -e fault=")
      ->type_name("EXPR")
      ->allow_extra_args(false);
  for (const Setting& one : settings())
    if (std::string& value = values.emplace_back(); *one.option)
      offer(app.add_option(one.option, value, fmt::format("{}\n{}", one.help, one.more)), one.words)
          ->type_name(one.value);
  std::vector<std::string> when;
  uint64_t keep = 0;
  app.add_option("--snapshot-on", when,
                 "whenever a call is such as this says (print --filter), or exit!=0, or "
                 "signal=SEGV,ABRT: copy the newest of all threads to DIR-snapshot-N\n"
                 "For --mode overwrite. exit: of any process that is recorded, compared by == != < "
                 "<= > >=; 128 and its number where it is known that a signal killed it (of CMD, "
                 "and of what a recorded program waits for). signal: a handler for it runs, or it "
                 "kills as far as that is known; SEGV, BUS and SYS always. May be given several "
                 "times: any of these.")
      ->type_name("EXPR")
      ->allow_extra_args(false);
  app.add_option("--keep", keep, "of the snapshots or parts, remove all but the newest N (0: none)")
      ->type_name("N");
  std::string part;
  app.add_option("--rotate", part,
                 "whenever there is so much more, move it to a trace of its own: DIR.1, …\n"
                 "Then DIR.2 and so on; the newest stays in DIR.")
      ->type_name("SIZE");
  std::string most_time;
  uint64_t most_calls = 0;
  app.add_option("--max-time", most_time,
                 "record so long; the program goes on unrecorded\n"
                 "A number with ms, s, min or h. As `sctrace ctl off` does it, in all processes.")
      ->type_name("TIME");
  app.add_option("--max-calls", most_calls,
                 "record so many calls, and few more\n"
                 "They are counted 50 times a second. Then as with --max-time.")
      ->type_name("N");
  std::string how = "auto";
  offer(app.add_option("--drain", how,
                       "take full buffers out of the threads' hands: on, off, auto\n"
                       "auto: where there is more than one CPU."),
        "auto on off")
      ->type_name("HOW")
      ->check(CLI::IsMember({"auto", "on", "off"}));
  app.add_flag("--no-follow", alone, "this process alone: the same as --follow none");
  app.add_flag("-f", follow, "follow children (always so; for strace's habits)");
  app.add_flag("-q,--quiet", quiet, "do not say where the trace is");
  app.prefix_command();
  if (const auto status = parse(app, argc, argv)) return *status;
  what.command = app.remaining();
  for (size_t n = 0; n < settings().size(); ++n)
    if (!values[n].empty()) what.settings.emplace_back(settings()[n].variable, values[n]);
  if (alone) what.settings.emplace_back("SCTRACE_FOLLOW", "none");
  if (const std::string wrong = take_command(expressions, what); !wrong.empty()) {
    fmt::print(stderr, "sctrace record: {}\n", wrong);
    return 2;
  }
  const std::optional<uint64_t> time = most_time.empty() ? 0 : nanoseconds(most_time);
  if (!time || (!most_time.empty() && !*time)) {
    fmt::print(stderr, "sctrace record: --max-time {}: expected a time such as 10s\n", most_time);
    return 2;
  }
  Beside beside{.drain = drains(how) || !part.empty(),
                .part = 0,
                .keep = keep,
                .limits = Limits(*time, most_calls)};
  if (!part.empty()) {
    beside.part = bytes(part).value_or(0);
    if (beside.part < 1 << 16 || how == "off") {
      fmt::print(
          stderr, "sctrace record: --rotate {}: {}\n", part,
          how == "off" ? "--drain off leaves nobody to do it" : "expected a size from 64K on");
      return 2;
    }
  }
  try {
    for (const auto& [name, value] : what.settings)
      if (name == "SCTRACE_FILTER") filter_of(value);
    if (when.empty()) return run_and_tell(what, output, quiet, beside, nullptr);
    LateTrigger trigger(occasions_of(when), keep);
    return run_and_tell(what, output, quiet, beside, &trigger);
  } catch (const std::invalid_argument& wrong) {
    fmt::print(stderr, "sctrace record: {}\n", wrong.what());
    return 2;
  }
}

}  // namespace sctrace::cli
