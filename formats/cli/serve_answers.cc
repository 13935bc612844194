#include "formats/cli/serve_answers.h"

#include <fmt/format.h>

#include <set>
#include <stdexcept>

#include "formats/cli/report_page.h"
#include "formats/cli/serve_calls.h"
#include "formats/cli/sums.h"
#include "formats/feed.h"
#include "formats/read/live.h"

namespace sctrace::cli {

namespace {

using Query = std::map<std::string, std::string>;

constexpr const char json_type[] = "application/json";

// Another number whenever something was written.
std::string stamp_of(const read::Trace& trace) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  const auto add = [&](uint64_t n) {
    for (int i = 0; i < 8; ++i, n >>= 8) hash = (hash ^ (n & 0xff)) * 0x100000001b3;
  };
  for (const read::Image& image : trace.images()) {
    add(image.pid);
    for (const read::Slot& slot : image.slots) {
      add(slot.tid), add(slot.head), add(slot.drained);
      add(static_cast<uint64_t>(slot.state)), add(slot.lost + slot.filtered);
    }
  }
  return fmt::format("{:016x}", hash);
}

void only(const Query& query, const std::set<std::string>& known) {
  for (const auto& [name, value] : query)
    if (name != "token" && !known.contains(name))
      throw std::invalid_argument("no parameter `" + name + "` here");
}

Answer page(const read::Trace& trace, const std::string& stamp) {
  Answer answer{.type = "text/html; charset=utf-8"};
  Output to(answer.body);
  write_report(trace, to, stamp);
  to.finish();
  answer.headers["Content-Security-Policy"] =
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return answer;
}

Answer metrics(const read::Trace& trace) {
  Answer answer{.type = "text/plain; version=0.0.4; charset=utf-8"};
  Output to(answer.body);
  const Session session = session_of(trace);
  const Format& format = *format_named("prometheus");
  const std::unique_ptr<Sink> sink = format.open(to, session);
  feed(trace, session, *sink, {.enter = format.enter, .leave = format.leave});
  to.finish();
  return answer;
}

Answer summary(const read::Trace& trace, const Query& query) {
  only(query, {"by", "histogram"});
  const auto by = query.find("by"), histogram = query.find("histogram");
  JsonOptions how;
  if (by != query.end()) how.by = by->second;
  const auto key = group_keys().find(std::string(how.by));
  if (key == group_keys().end())
    throw std::invalid_argument(
        "by= is syscall, fd, path, peer, thread, process, errno, stack or depth");
  how.histogram = histogram != query.end() && histogram->second != "0";
  Sums sums = sums_of(trace, key->second);
  sort(sums.rows, SortKey::time);
  return {.type = json_type,
          .body = counts_json(sums.rows, sums.total, sums.run, sums.losses,
                              trace.clock().realtime_offset(), how)};
}

}  // namespace

ServedTrace::ServedTrace(std::string trace) : name_(std::move(trace)), watch_(name_) { now(); }

// A running program's clock is measured against ours.
read::Trace ServedTrace::now() {
  read::Trace trace(name_);
  if (watch_.running()) trace.grow(read::clocks_now());
  return trace;
}

Answer ServedTrace::made(const std::string& path, const Query& query, const read::Trace& trace,
                         const std::string& stamp) {
  if (path == "/api/summary") return summary(trace, query);
  if (path == "/api/calls") return {.type = json_type, .body = calls_json(trace, query)};
  only(query, {});
  if (path == "/") return page(trace, stamp);
  if (path == "/metrics") return metrics(trace);
  return {.type = json_type, .body = info_json(trace, true)};
}

Answer ServedTrace::answer(const Request& request) {
  using namespace std::chrono_literals;
  static const std::set<std::string> paths{"/", "/metrics", "/api/summary", "/api/info",
                                           "/api/calls"};
  if (request.path != "/api/state" && !paths.contains(request.path))
    return refusal(404,
                   "there are /, /metrics, /api/summary, /api/info, /api/calls and /api/state");
  const read::Trace trace = now();
  const std::string stamp = stamp_of(trace);
  if (request.path == "/api/state")
    return {
        .type = json_type,
        .body = fmt::format("{{\"stamp\": \"{}\", \"running\": {}}}\n", stamp, watch_.running())};
  std::string question = request.path;
  for (const auto& [name, value] : request.query)
    if (name != "token") question += '\n' + name + '=' + value;
  const auto kept = kept_.find(question);
  const auto time = std::chrono::steady_clock::now();
  if (kept != kept_.end() && (kept->second.stamp == stamp || time - kept->second.when < 1s))
    return kept->second.answer;
  try {
    Answer answer = made(request.path, request.query, trace, stamp);
    if (kept_.size() > 16) kept_.clear();
    kept_[question] = {stamp, std::chrono::steady_clock::now(), answer};
    return answer;
  } catch (const std::invalid_argument& wrong) {
    return refusal(400, wrong.what());
  }
}

}  // namespace sctrace::cli
