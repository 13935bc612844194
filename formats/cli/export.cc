// `sctrace export`: a trace in the form of another tool.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>

#include "formats/cli/bar.h"
#include "formats/cli/options.h"
#include "formats/cli/verbs.h"
#include "formats/feed.h"

namespace sctrace::cli {

namespace {

struct Wish {
  std::string format, output, trace;
  std::vector<std::string> expressions;
  uint64_t strsize = 64;
  Weigh by = Weigh::time;
};

std::string list_of_formats() {
  std::string text = "formats:";
  for (const Format* format : formats())
    text += fmt::format("\n  {:<12} {}", format->name, format->help);
  return text;
}

std::string names_of_formats() {
  std::string names;
  for (const Format* format : formats()) (names += names.empty() ? "" : " ") += format->name;
  return names;
}

// Where to, if nothing is said: stdout, for what one can look at or pipe on.
std::string place(const Wish& wish, const Format& format) {
  if (!wish.output.empty()) return wish.output;
  if (format.target == Target::file || format.target == Target::directory)
    throw std::invalid_argument(fmt::format("{} writes a {}: say which with -o", format.name,
                                            format.target == Target::file ? "file" : "folder"));
  return "-";
}

FeedOptions options_of(const Wish& wish, const Format& format) {
  FeedOptions options{.enter = format.enter, .leave = format.leave, .beside = true};
  options.details = format.details;
  for (const std::string& text : wish.expressions) {
    const size_t equals = text.find('=');
    const std::string what = equals == text.npos ? "trace" : text.substr(0, equals);
    if (what != "trace" && what != "t")
      throw std::invalid_argument("-e " + text + ": only trace= is known");
    options.calls = call_set(equals == text.npos ? text : text.substr(equals + 1));
  }
  return options;
}

int write(const Wish& wish, const Format& format, FeedOptions options) {
  const read::Trace trace(trace_named(wish.trace));
  Session session = session_of(trace);
  session.words.strsize = wish.strsize;
  session.by = wish.by;
  Output output(place(wish, format), format.target, std::string(format.mark));
  const Losses losses = [&] {
    Bar bar;
    if (bar.is_wanted()) options.progress = std::ref(bar);
    const std::unique_ptr<Sink> sink = format.open(output, session);
    const Losses all = feed(trace, session, *sink, options);
    output.finish();
    return all;
  }();
  say_losses(losses);
  say_counted(trace);
  return 0;
}

}  // namespace

int verb_export(int argc, char** argv) {
  CLI::App app("Writes a trace in the form of another tool.");
  app.footer(list_of_formats());
  Wish wish;
  offer(app.add_option("--to", wish.format, "the format"), names_of_formats())
      ->type_name("FORMAT")
      ->required();
  app.add_option("-o,--output", wish.output, "where to (default: stdout, where the format can)")
      ->type_name("PATH");
  app.add_option("-e", wish.expressions, "trace=SET: only these calls")
      ->type_name("EXPR")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("-s,--string-limit", wish.strsize, "characters of a string that are shown (64)")
      ->type_name("N");
  const std::map<std::string, Weigh> weights{
      {"time", Weigh::time}, {"count", Weigh::count}, {"bytes", Weigh::bytes}};
  offer(app.add_option("--by", wish.by, "what folded adds up: time (ns), count or bytes"),
        "time count bytes")
      ->transform(CLI::CheckedTransformer(weights).description(""))
      ->type_name("WHAT");
  app.add_option("TRACE", wish.trace, "trace directory (default: the newest sctrace-* here)");
  if (const auto status = parse(app, argc, argv)) return *status;
  FeedOptions options;
  const Format* format = format_named(wish.format);
  try {
    if (!format) throw std::invalid_argument("no format `" + wish.format + "`; --help lists them");
    options = options_of(wish, *format);
    if (place(wish, *format) == "-" && format->target == Target::binary && isatty(STDOUT_FILENO))
      throw std::invalid_argument("not to a terminal; say where with -o");
  } catch (const std::invalid_argument& wrong) {
    fmt::print(stderr, "sctrace export: {}\n", wrong.what());
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return write(wish, *format, std::move(options));
  } catch (const OutputClosed&) {
    return 0;
  }
}

}  // namespace sctrace::cli
