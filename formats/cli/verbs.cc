#include "formats/cli/verbs.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>

#include "formats/cli/options.h"
#include "formats/read/counters.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

namespace fs = std::filesystem;

namespace {

std::function<void(const CLI::App&)> looks;  // set: nobody wants the verb to run

class Help final : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
    return help_of(shown_of(*app));
  }
};

// What CLI11 says of an option at the end of the line that lacks its value, as others would.
std::string plainly(const std::string& said, const std::string& last) {
  const std::string_view missing = ": 1 required ", end = " missing";
  const size_t at = said.find(missing);
  if (at == std::string::npos || !said.ends_with(end)) return said;
  const size_t type = at + missing.size();
  return last + " wants a value: " + said.substr(type, said.size() - end.size() - type);
}

}  // namespace

void look_at(const Verb& verb, const std::function<void(const CLI::App&)>& look) {
  std::string name = verb.name;
  char* argv[] = {name.data(), nullptr};
  looks = look;
  verb.run(1, argv);
  looks = nullptr;
}

std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  app.name(std::string("sctrace ") + argv[0]);
  app.formatter(std::make_shared<Help>());
  app.set_help_flag("-h,--help", "this text");
  if (looks) return looks(app), 0;
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    fmt::print(stderr, "sctrace {}: {}\n", argv[0], plainly(error.what(), argv[argc - 1]));
    return 2;
  }
}

std::string trace_named(const std::string& given) {
  if (!given.empty()) return given;
  std::string newest;
  fs::file_time_type newest_time;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(".", error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("sctrace-") || !fs::exists(entry.path() / wire::session_name, error))
      continue;
    const fs::file_time_type time = entry.last_write_time(error);
    if (!newest.empty() && time <= newest_time) continue;
    newest = name, newest_time = time;
  }
  if (newest.empty())
    throw read::BadTrace(".", 0, "no trace named, and no directory sctrace-* holds one");
  fmt::print(stderr, "sctrace: reading {}\n", newest);
  return newest;
}

void say_losses(const read::Losses& losses) {
  std::string line;
  const auto part = [&](uint64_t count, const char* one, const char* many) {
    if (count)
      line += fmt::format("{}{} {}", line.empty() ? "" : ", ", count, count == 1 ? one : many);
  };
  part(losses.calls, "call lost", "calls lost");
  part(losses.gaps, "gap of unknown length", "gaps of unknown length");
  part(losses.rolled_over, "block rolled over", "blocks rolled over");
  part(losses.untraced, "call untraced", "calls untraced");
  part(losses.cut, "buffer cut", "buffers cut");
  part(losses.inexact, "call not exact", "calls not exact");
  part(losses.cut_here, "buffer cut by the reader", "buffers cut by the reader");
  part(losses.damaged, "place damaged (see `sctrace check`)",
       "places damaged (see `sctrace check`)");
  if (losses.clock_uncertain)
    line += std::string(line.empty() ? "" : ", ") +
            "times are a guess: no two readings of the clock 0.1 ms apart";
  if (!line.empty()) fmt::print(stderr, "sctrace: {}\n", line);
}

void say_counted(const read::Trace& trace) {
  uint64_t calls = 0;
  for (const read::Image& image : trace.images())
    read::each_counted(image, [&](const read::Counted& counted) { calls += counted.calls; });
  if (calls)
    fmt::print(stderr, "sctrace: {} call{} counted, and not recorded: see `sctrace summary`\n",
               calls, calls == 1 ? "" : "s");
}

}  // namespace sctrace::cli
