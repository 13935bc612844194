#include "formats/device/report.h"

#include <fmt/format.h>

#include "formats/device/command.h"
#include "formats/device/stop.h"

namespace sctrace::device {

namespace {

std::string error_line(const Report& report) {
  std::string seen = report.line.substr(0, 200);
  for (char& c : seen)
    if (static_cast<uint8_t>(c) < 0x20) c = '?';
  return "error " + seen + ": " + report.bytes + '\n';
}

std::string words_of(const Report& report, uint64_t limit) {
  using Kind = Report::Kind;
  switch (report.kind) {
    case Kind::call: return shown_call(*report.call, limit);
    case Kind::result: return shown_outcome(report.number);
    case Kind::signal:
      return "signal " + shown_siginfo(static_cast<uint32_t>(report.number), report.bytes);
    case Kind::fork: return fmt::format("fork {}", report.number);
    case Kind::exec: return "exec " + quoted_bytes(report.bytes);
    case Kind::exit: return fmt::format("exit {}", report.number);
    case Kind::lost: return fmt::format("lost {}", report.number);
    case Kind::withdrawn: return "withdrawn";
    case Kind::late: return "late";
    case Kind::gone: return "gone";
    case Kind::data:
      return fmt::format("data {} {}", report.argument + 1, quoted_bytes(report.bytes));
    case Kind::error: break;
  }
  return {};
}

}  // namespace

std::string as_line(const Report& report, uint64_t limit) {
  if (report.kind == Report::Kind::error) return error_line(report);
  return fmt::format("{}.{} {}\n", report.pid, report.tid, words_of(report, limit));
}

}  // namespace sctrace::device
