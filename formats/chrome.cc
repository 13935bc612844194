// Chrome's trace events: JSON that chrome://tracing, ui.perfetto.dev, speedscope and Firefox'
// profiler open. A call is a complete event ("X"), its arguments as print shows them.
#include <fmt/format.h>

#include "formats/callers.h"
#include "formats/format.h"
#include "formats/json.h"
#include "formats/phrase.h"

namespace sctrace {

namespace {

class Chrome final : public Sink {
 public:
  Chrome(Output& to, const Session& session) : to_(to), session_(session) {
    line_ = "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"producer\":\"sctrace\"";
    field("host", session.host);
    field("kernel", session.kernel);
    put("clock", "CLOCK_MONOTONIC");
    line_ += fmt::format(",\"wall_clock_offset_ns\":{}}},\n\"traceEvents\":[", session.wall_offset);
  }

  void leave(const Event& e) override {
    begin("X", e.pid, e.tid, e.began, e.name);
    line_ += ",\"dur\":";
    put_microseconds(line_, e.finished - e.began);
    line_ += e.error() ? ",\"cat\":\"syscall,failed\"" : ",\"cat\":\"syscall\"";
    line_ += ",\"args\":{\"";
    const char* comma = "";
    for (size_t i = 0; i < e.args.size(); ++i) {
      if (e.args[i].kind == Value::Kind::absent) continue;
      line_ += comma, line_ += argument_name(e, i), line_ += "\":";
      put_shown(e.args[i]);
      comma = ",\"";
    }
    line_ += comma;
    line_ += "ret\":";
    if (e.ended)
      put_decimal(line_, e.result);
    else
      line_ += "null,\"unfinished\":true";
    if (e.ended) {
      text_.clear();
      append_result(text_, e, session_.words);
      put("result", std::string_view(text_).substr(2));
    }
    if (e.error()) field("errno", errno_name(e.error()));
    if (!e.paths.empty()) field("path", e.paths.front());
    stack(e);
    finish();
  }

  void signal(const Arrival& a) override {
    begin("i", a.pid, a.tid, a.when, a.name);
    line_ += ",\"cat\":\"signal\",\"s\":\"t\",\"args\":{\"siginfo\":";
    put_json(line_, shown(a.info, session_.words));
    finish();
  }

  void birth(const Birth& b) override {
    if (b.kind != Birth::Kind::thread) {
      meta("process_name", b, b.program ? b.program->path : b.name);
      if (b.program && !b.program->arguments.empty()) {
        std::string command;
        for (const std::string& one : b.program->arguments)
          command += (command.empty() ? "" : " ") + one;
        meta("process_labels", b, command, "labels");
      }
    }
    meta("thread_name", b, b.name);
    begin("i", b.pid, b.tid, b.when, words_of(b.kind));
    line_ += ",\"cat\":\"life\",\"s\":\"t\",\"args\":{\"parent\":" + std::to_string(b.parent);
    finish();
  }

  void name(const Naming& n) override {
    Birth b;
    b.pid = n.pid, b.tid = n.tid;
    meta("thread_name", b, n.name);
  }

  void death(const Death& d) override {
    const std::string how = phrase(d);
    begin("i", d.pid, d.tid, d.when, how.empty() ? "ended" : how);
    line_ += fmt::format(",\"cat\":\"life\",\"s\":\"{}\",\"args\":{{\"process\":{}",
                         d.process ? 'p' : 't', d.process);
    finish();
  }

  void lost(const Loss& loss) override {
    begin("i", loss.pid, loss.tid, loss.when, phrase(loss));
    line_ += ",\"cat\":\"lost\",\"s\":\"g\",\"args\":{\"calls\":" + std::to_string(loss.calls);
    finish();
  }

  void end(const Losses& losses) override {
    line_ += "\n],\n\"sctraceLosses\":{";
    const char* comma = "";
    for (const Missing& one : missing(losses)) {
      line_ += fmt::format("{}\"{}\":{}", comma, one.name, one.count);
      comma = ",";
    }
    line_ += "}}\n";
    to_.write(line_);
  }

 private:
  static std::string_view words_of(Birth::Kind kind) {
    switch (kind) {
      case Birth::Kind::thread: return "thread began";
      case Birth::Kind::process: return "process began";
      case Birth::Kind::program: return "program began";
    }
    return "";
  }

  void put_shown(const Value& value) {
    text_.clear();
    append_shown(text_, value, session_.words);
    put_json(line_, text_);
  }
  void put(std::string_view key, std::string_view text) {
    line_ += ",\"", line_ += key, line_ += "\":";
    put_json(line_, text);
  }
  void field(std::string_view key, std::string_view text) {
    if (!text.empty()) put(key, text);
  }

  void begin(const char* phase, uint32_t pid, uint32_t tid, uint64_t when, std::string_view name) {
    line_ += first_ ? "\n" : ",\n";
    first_ = false;
    line_ += "{\"ph\":\"", line_ += phase, line_ += "\",\"pid\":";
    put_decimal(line_, uint64_t{pid});
    line_ += ",\"tid\":";
    put_decimal(line_, uint64_t{tid});
    line_ += ",\"ts\":";
    put_microseconds(line_, when);
    put("name", name);
  }

  void finish() {
    line_ += "}}";
    to_.write(line_);
    line_.clear();
  }

  void meta(std::string_view what, const Birth& b, std::string_view name,
            const char* key = "name") {
    begin("M", b.pid, b.tid, b.when, what);
    line_ += fmt::format(",\"args\":{{\"{}\":", key);
    put_json(line_, name);
    finish();
  }

  void stack(const Event& e) {
    if (e.stack.empty()) return;
    line_ += ",\"stack\":[";
    const char* comma = "";
    for (const Frame& frame : e.stack) {
      line_ += comma;
      put_json(line_, frame.symbol.empty() ? name_of(frame)
                                           : fmt::format("{}+{:#x}", frame.symbol, frame.offset));
      comma = ",";
    }
    line_ += ']';
  }

  Output& to_;
  const Session& session_;
  std::string line_, text_;
  bool first_ = true;
};

}  // namespace

extern const Format chrome;
const Format chrome{
    .name = "chrome",
    .help = "JSON trace events, for ui.perfetto.dev, chrome://tracing and speedscope",
    .target = Target::stream,
    .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
      return std::make_unique<Chrome>(to, session);
    }};

}  // namespace sctrace
