// The profile that profiler.firefox.com and samply load ("processed", version 56). Each call is a
// marker of its thread and a sample that weighs what it took, so that the call tree adds up time.
// The columns of the tables are strands of a spool, written out thread by thread in the end.
#include <fmt/format.h>

#include <map>
#include <unordered_map>

#include "formats/firefox_tables.h"
#include "formats/format.h"
#include "formats/json.h"
#include "formats/phrase.h"
#include "formats/spool.h"

namespace sctrace {

namespace {

enum Category { other, syscall, failed, life };
enum Phase { instant = 0, interval = 1, interval_start = 2 };

constexpr std::string_view schemas =
    R"([{"name":"Syscall","display":["marker-chart","marker-table","timeline-overview"],)"
    R"("tooltipLabel":"{marker.name}","tableLabel":"{marker.data.call}",)"
    R"("chartLabel":"{marker.name}","fields":[)"
    R"({"key":"call","label":"Call","format":"string","searchable":true},)"
    R"({"key":"ret","label":"Result","format":"integer"},)"
    R"({"key":"errno","label":"Error","format":"string","searchable":true},)"
    R"({"key":"path","label":"File","format":"file-path","searchable":true}]},)"
    R"({"name":"Life","display":["marker-chart","marker-table","timeline-overview"],)"
    R"("tooltipLabel":"{marker.name}","tableLabel":"{marker.data.what}",)"
    R"("chartLabel":"{marker.name}","fields":[)"
    R"({"key":"what","label":"What","format":"string","searchable":true},)"
    R"({"key":"calls","label":"Calls","format":"integer"}]}])";

class Firefox final : public Sink {
 public:
  Firefox(Output& to, const Session& session) : to_(to), session_(session), spool_(to) {}

  void leave(const Event& e) override {
    Thread& thread = thread_of(e.pid, e.tid);
    data_ = "{\"type\":\"Syscall\",\"call\":";
    text_.clear();
    put_phrase(text_, e, session_.words);
    put_json(data_, text_);
    if (e.ended) data_ += ",\"ret\":", put_decimal(data_, e.result);
    if (e.error()) field("errno", errno_name(e.error()));
    if (!e.paths.empty()) field("path", e.paths.front());
    const uint32_t stack = thread.tables.stack_of(e, strings_, e.error() ? failed : syscall);
    if (!e.stack.empty() && e.ended) cause(e, stack);
    data_ += '}';
    marker(thread, e.name, e.began, e.finished, e.ended ? interval : interval_start,
           e.error() ? failed : syscall);
    if (!e.ended) return;
    const char* comma = thread.samples++ ? "," : "";
    cell(thread, Column::sample_stack, comma, stack);
    time_cell(thread, Column::sample_time, comma, e.finished - start());
    time_cell(thread, Column::sample_weight, comma, e.finished - e.began);
  }

  void signal(const Arrival& a) override {
    note(a.pid, a.tid, a.when, a.name, shown(a.info, session_.words));
  }

  void birth(const Birth& b) override {
    if (b.kind != Birth::Kind::program) open_[{b.pid, b.tid}] = make(b);
    Thread& thread = thread_of(b.pid, b.tid);
    thread.name = b.name;
    if (b.kind == Birth::Kind::thread) return;
    thread.process = b.program ? b.program->path : b.name;
    if (b.kind == Birth::Kind::program) note(b.pid, b.tid, b.when, "program", thread.process);
  }

  void name(const Naming& n) override { thread_of(n.pid, n.tid).name = n.name; }

  void death(const Death& d) override {
    const std::string how = phrase(d);
    if (!how.empty() && open_.contains({d.pid, d.tid}))
      note(d.pid, d.tid, d.when, d.process ? "process ended" : "thread ended", how);
    const auto ended = [&](auto one) {
      threads_[one->second].ended = d.when;
      return open_.erase(one);
    };
    if (const auto one = open_.find({d.pid, d.tid}); one != open_.end()) ended(one);
    if (!d.process) return;
    for (auto one = open_.lower_bound({d.pid, 0}); one != open_.end() && one->first.first == d.pid;)
      one = ended(one);
  }

  void lost(const Loss& loss) override {
    Thread& thread = thread_of(loss.pid, loss.tid);
    data_ = "{\"type\":\"Life\",\"what\":";
    put_json(data_, phrase(loss));
    data_ += fmt::format(",\"calls\":{}}}", loss.calls);
    marker(thread, "calls lost", loss.when, loss.when, instant, other);
  }

  void end(const Losses& losses) override {
    std::string head = "{\"meta\":{\"interval\":1,\"startTime\":";
    put_milliseconds(head, start() + static_cast<uint64_t>(session_.wall_offset));
    head += R"(,"processType":0,"product":"sctrace","stackwalk":1,"version":27,)"
            R"("preprocessedProfileVersion":56,"symbolicated":true,"platform":"Linux","oscpu":)";
    put_json(head, "Linux " + session_.kernel);
    head += R"(,"categories":[{"name":"Other","color":"grey","subcategories":["Other"]},)"
            R"({"name":"System call","color":"blue","subcategories":["Other"]},)"
            R"({"name":"Failed","color":"red","subcategories":["Other"]},)"
            R"({"name":"Life","color":"green","subcategories":["Other"]}],)";
    head += R"("extra":[{"label":"Losses","entries":[)";
    const char* comma = "";
    for (const Missing& one : missing(losses)) {
      head += fmt::format("{}{{\"label\":{},\"format\":\"integer\",\"value\":{}}}", comma,
                          json_text(one.what), one.count);
      comma = ",";
    }
    head += "]}],\"markerSchema\":";
    head += schemas;
    head += "},\n\"libs\":[],\"pages\":[],\"threads\":[";
    to_.write(head);
    for (size_t n = 0; n < threads_.size(); ++n) write_thread(threads_[n], n ? ",\n" : "\n");
    to_.write("],\n\"shared\":{\"stringArray\":" + strings_.json() + "}}\n");
  }

 private:
  enum Column {
    data,
    name_of,
    start_time,
    end_time,
    phase,
    category,
    sample_stack,
    sample_time,
    sample_weight,
    columns
  };

  struct Thread {
    uint32_t pid = 0, tid = 0;
    uint64_t began = 0, ended = 0;  // ended 0: alive when the trace ended
    uint64_t markers = 0, samples = 0;
    std::string name, process;
    size_t strands[columns] = {};
    firefox::Tables tables;
  };

  uint64_t start() const { return session_.began; }

  size_t make(const Birth& b) {
    Thread& thread = threads_.emplace_back();
    thread.pid = b.pid, thread.tid = b.tid, thread.began = b.when;
    for (size_t& strand : thread.strands) strand = spool_.strand();
    const auto leader = open_.find({b.pid, b.pid});
    if (leader != open_.end() && b.tid != b.pid) thread.process = threads_[leader->second].process;
    return threads_.size() - 1;
  }

  Thread& thread_of(uint32_t pid, uint32_t tid) { return threads_[open_[{pid, tid}]]; }

  void field(std::string_view key, std::string_view text) {
    data_ += ",\"", data_ += key, data_ += "\":";
    put_json(data_, text);
  }

  void cause(const Event& e, uint32_t stack) {
    data_ += fmt::format(",\"cause\":{{\"tid\":{},\"time\":", e.tid);
    put_milliseconds(data_, e.began - start());
    data_ += fmt::format(",\"stack\":{}}}", stack);
  }

  static void put_milliseconds(std::string& to, uint64_t ns) {
    put_decimal(to, ns / 1'000'000);
    char digits[] = ".000000";
    for (uint64_t n = 6, rest = ns % 1'000'000; n; rest /= 10)
      digits[n--] = static_cast<char>('0' + rest % 10);
    to += digits;
  }

  void cell(Thread& thread, Column column, const char* comma, uint64_t value) {
    cell_ = comma;
    put_decimal(cell_, value);
    spool_.append(thread.strands[column], cell_);
  }

  void time_cell(Thread& thread, Column column, const char* comma, uint64_t ns) {
    cell_ = comma;
    put_milliseconds(cell_, ns);
    spool_.append(thread.strands[column], cell_);
  }

  void marker(Thread& thread, std::string_view name, uint64_t from, uint64_t to, Phase how,
              Category of) {
    const char* comma = thread.markers++ ? "," : "";
    cell_ = comma;
    cell_ += data_;
    spool_.append(thread.strands[data], cell_);
    cell(thread, name_of, comma, strings_.id_of(name));
    time_cell(thread, start_time, comma, from - start());
    if (how == interval)
      time_cell(thread, end_time, comma, to - start());
    else
      spool_.append(thread.strands[end_time], std::string(comma) + "null");
    cell(thread, phase, comma, how);
    cell(thread, category, comma, of);
  }

  void note(uint32_t pid, uint32_t tid, uint64_t when, std::string_view name,
            const std::string& what) {
    data_ = "{\"type\":\"Life\",\"what\":";
    put_json(data_, what);
    data_ += '}';
    marker(thread_of(pid, tid), name, when, when, instant, life);
  }

  void write_column(const Thread& thread, std::string_view name, Column column) {
    to_.write(fmt::format("\"{}\":[", name));
    spool_.copy(thread.strands[column], to_);
    to_.write("],");
  }

  void write_thread(const Thread& t, const char* comma) {
    std::string text = fmt::format(
        "{}{{\"processType\":\"default\",\"pausedRanges\":[],\"isMainThread\":{},\"pid\":\"{}\","
        "\"tid\":{},\"name\":",
        comma, t.pid == t.tid, t.pid, t.tid);
    put_json(text, t.name);
    text += ",\"processName\":";
    put_json(text, t.process);
    text += ",\"processStartupTime\":0,\"processShutdownTime\":null,\"registerTime\":";
    put_milliseconds(text, t.began - start());
    text += ",\"unregisterTime\":";
    t.ended ? put_milliseconds(text, t.ended - start()) : void(text += "null");
    to_.write(text + ",\n\"markers\":{");
    write_column(t, "data", data);
    write_column(t, "name", name_of);
    write_column(t, "startTime", start_time);
    write_column(t, "endTime", end_time);
    write_column(t, "phase", phase);
    write_column(t, "category", category);
    to_.write(fmt::format("\"length\":{}}},\n\"samples\":{{", t.markers));
    write_column(t, "stack", sample_stack);
    write_column(t, "time", sample_time);
    write_column(t, "weight", sample_weight);
    to_.write(fmt::format("\"weightType\":\"tracing-ms\",\"length\":{}}},\n", t.samples));
    to_.write(t.tables.json() + "}");
  }

  Output& to_;
  const Session& session_;
  Spool spool_;
  firefox::Strings strings_;
  std::vector<Thread> threads_;
  std::map<std::pair<uint32_t, uint32_t>, size_t> open_;  // of the threads alive, by pid and tid
  std::string data_, cell_, text_;
};

}  // namespace

extern const Format firefox_format;
const Format firefox_format{
    .name = "firefox",
    .help = "a profile for profiler.firefox.com",
    .target = Target::stream,
    .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
      return std::make_unique<Firefox>(to, session);
    }};

}  // namespace sctrace
