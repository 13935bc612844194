// Prometheus' text exposition: a histogram of durations for each call of each program, errors by
// errno, bytes, and what is missing. Durations are in seconds, as Prometheus wants them, with all
// nine digits.
#include <fmt/format.h>

#include <array>
#include <map>

#include "formats/call_tree.h"
#include "formats/format.h"
#include "formats/phrase.h"
#include "formats/text.h"
#include "formats/utf8.h"

namespace sctrace {

namespace {

// Upper ends of buckets in ns: three a decade, from what an idle call takes to half a minute.
constexpr std::array<uint64_t, 25> ends = {
    100,         200,           500,           1'000,         2'000,
    5'000,       10'000,        20'000,        50'000,        100'000,
    200'000,     500'000,       1'000'000,     2'000'000,     5'000'000,
    10'000'000,  20'000'000,    50'000'000,    100'000'000,   200'000'000,
    500'000'000, 1'000'000'000, 2'000'000'000, 5'000'000'000, 30'000'000'000};

struct Series {
  std::array<uint64_t, ends.size()> within{};  // each bucket alone
  uint64_t calls = 0, ns = 0, bytes = 0;
  std::map<int64_t, uint64_t> errors;
};

std::string seconds(uint64_t ns) {
  std::string text = fmt::format("{}.{:09}", ns / 1'000'000'000, ns % 1'000'000'000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// The value of a label: backslash, quote and newline are escaped, all else is UTF-8.
std::string label(std::string_view text) {
  std::string all;
  for (const char c : utf8_of(text))
    if (c == '\n')
      all += "\\n";
    else if (c == '\\' || c == '"')
      all += '\\', all += c;
    else
      all += c;
  return all;
}

class Prometheus final : public Sink {
 public:
  Prometheus(Output& to, const Session&) : to_(to) {}

  void birth(const Birth& b) override {
    if (b.program) programs_[b.pid] = b.program->path.substr(b.program->path.rfind('/') + 1);
  }

  void leave(const Event& e) override {
    if (!e.ended) {
      ++unfinished_[{programs_[e.pid], e.name}];
      return;
    }
    Series& series = series_[{programs_[e.pid], e.name}];
    const uint64_t ns = spent(e);
    for (size_t i = 0; i < ends.size(); ++i)
      if (ns <= ends[i]) {
        ++series.within[i];
        break;
      }
    ++series.calls;
    series.ns += ns, series.bytes += bytes_of(e);
    if (e.error()) ++series.errors[e.error()];
  }

  void lost(const Loss&) override {}  // all of them are in end()

  void end(const Losses& losses) override {
    head("sctrace_syscall_duration_seconds", "histogram", "time that calls took, by call");
    for (const auto& [name, series] : series_) histogram(name, series);
    head("sctrace_syscall_errors_total", "counter", "calls that failed, by errno");
    for (const auto& [name, series] : series_)
      for (const auto& [error, n] : series.errors) {
        const std::string word = errno_name(error);
        put("sctrace_syscall_errors_total",
            labels(name) +
                fmt::format(",errno=\"{}\"", word.empty() ? fmt::to_string(error) : word),
            fmt::to_string(n));
      }
    head("sctrace_syscall_bytes_total", "counter",
         "bytes moved by calls that return a number of bytes");
    for (const auto& [name, series] : series_)
      if (series.bytes)
        put("sctrace_syscall_bytes_total", labels(name), fmt::to_string(series.bytes));
    head("sctrace_syscall_unfinished_total", "counter", "calls that did not come back");
    for (const auto& [name, n] : unfinished_)
      put("sctrace_syscall_unfinished_total", labels(name), fmt::to_string(n));
    head("sctrace_missing_total", "counter", "what the trace does not hold, by what it is");
    put("sctrace_missing_total", "what=\"lost\"", fmt::to_string(losses.calls));
    for (const Missing& one : missing(losses))
      if (one.name != "lost")
        put("sctrace_missing_total", fmt::format("what=\"{}\"", one.name),
            fmt::to_string(one.count));
    to_.write(text_);
  }

 private:
  using Name = std::pair<std::string, std::string>;  // program, call

  static std::string labels(const Name& name) {
    return fmt::format("program=\"{}\",syscall=\"{}\"", label(name.first), name.second);
  }
  void head(const char* name, const char* type, const char* help) {
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void put(std::string_view name, std::string_view labels, std::string_view value) {
    text_ += fmt::format("{}{{{}}} {}\n", name, labels, value);
  }

  void histogram(const Name& name, const Series& series) {
    constexpr std::string_view metric = "sctrace_syscall_duration_seconds";
    const std::string bucket = fmt::format("{}_bucket", metric), own = labels(name);
    uint64_t so_far = 0;
    for (size_t i = 0; i < ends.size(); ++i)
      put(bucket, fmt::format("{},le=\"{}\"", own, seconds(ends[i])),
          fmt::to_string(so_far += series.within[i]));
    put(bucket, own + ",le=\"+Inf\"", fmt::to_string(series.calls));
    put(fmt::format("{}_sum", metric), own, seconds(series.ns));
    put(fmt::format("{}_count", metric), own, fmt::to_string(series.calls));
  }

  Output& to_;
  std::string text_;
  std::map<uint32_t, std::string> programs_;
  std::map<Name, Series> series_;
  std::map<Name, uint64_t> unfinished_;
};

}  // namespace

extern const Format prometheus;
const Format prometheus{.name = "prometheus",
                        .help = "text exposition: histograms of durations, errors, bytes, losses",
                        .target = Target::stream,
                        .leave = Detail::raw,
                        .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                          return std::make_unique<Prometheus>(to, session);
                        }};

}  // namespace sctrace
