// speedscope's own JSON: three profiles of the same stacks, weighed by time, calls and bytes. Calls
// of one place are one sample, so the file is as large as the tree and not as the trace.
#include <fmt/format.h>

#include "formats/call_tree.h"
#include "formats/format.h"
#include "formats/json.h"
#include "formats/phrase.h"

namespace sctrace {

namespace {

class Speedscope final : public Sink {
 public:
  Speedscope(Output& to, const Session& session) : to_(to), session_(session) {}
  void birth(const Birth& b) override { tree_.birth(b); }
  void name(const Naming& n) override { tree_.name(n); }
  void leave(const Event& e) override { tree_.add(e); }
  void lost(const Loss& loss) override { tree_.lost(loss); }

  void end(const Losses& losses) override {
    std::string title = "system calls of ";
    title += session_.programs.empty() ? "a trace" : session_.programs.front().path;
    for (const Missing& one : missing(losses)) title += fmt::format("; {} {}", one.count, one.what);
    to_.write(
        "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"exporter\":"
        "\"sctrace\",\n\"name\":" +
        json_text(title) + ",\n\"shared\":{\"frames\":[");
    const char* comma = "\n";
    for (const std::string& name : tree_.names()) {
      to_.write(fmt::format("{}{{\"name\":{}}}", comma, json_text(name)));
      comma = ",\n";
    }
    to_.write("\n]},\n\"activeProfileIndex\":0,\n\"profiles\":[");
    profile("time in calls", "nanoseconds", &Weight::ns, "\n");
    profile("calls", "none", &Weight::calls, ",\n");
    profile("bytes", "bytes", &Weight::bytes, ",\n");
    to_.write("\n]}\n");
  }

 private:
  void profile(const char* name, const char* unit, uint64_t Weight::*weight, const char* before) {
    uint64_t total = 0;
    std::string samples, weights;
    for (uint32_t node = 1; node < tree_.nodes().size(); ++node) {
      const CallTree::Node& one = tree_.nodes()[node];
      if (one.kind != CallTree::Kind::call && one.kind != CallTree::Kind::loss) continue;
      samples += samples.empty() ? "[" : ",[";
      const char* comma = "";
      for (const uint32_t part : tree_.path(node)) {
        samples += comma + std::to_string(tree_.nodes()[part].name);
        comma = ",";
      }
      samples += ']';
      weights += (weights.empty() ? "" : ",") + std::to_string(one.self.*weight);
      total += one.self.*weight;
    }
    to_.write(
        fmt::format("{}{{\"type\":\"sampled\",\"name\":\"{}\",\"unit\":\"{}\",\"startValue\":0,"
                    "\"endValue\":{},\n\"samples\":[",
                    before, name, unit, total));
    to_.write(samples + "],\n\"weights\":[" + weights + "]}");
  }

  Output& to_;
  const Session& session_;
  CallTree tree_;
};

}  // namespace

extern const Format speedscope;
const Format speedscope{.name = "speedscope",
                        .help = "JSON for www.speedscope.app: stacks by time, calls and bytes",
                        .target = Target::stream,
                        .leave = Detail::raw,
                        .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                          return std::make_unique<Speedscope>(to, session);
                        }};

}  // namespace sctrace
