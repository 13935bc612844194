// JSON lines, as `print --as json` writes them: print.schema.json beside this file says what each
// field means.
#include "formats/format.h"
#include "formats/json_lines.h"

namespace sctrace {

namespace {

class JsonExport final : public Sink {
 public:
  JsonExport(Output& to, const Session& session) : to_(to) {
    lines_.wall_offset = static_cast<uint64_t>(session.wall_offset);
  }

  void leave(const Event& e) override {
    lines_.leave(e);
    flush();
  }
  void signal(const Arrival& a) override {
    lines_.signal({a.pid, a.tid, a.when}, a.number, a.info, a.stack);
    flush();
  }
  void death(const Death& d) override {
    if (!d.process) return;
    Departure how;
    if (d.how == Death::How::exited) how = {Departure::How::exited, d.status, false};
    if (d.how == Death::How::killed) how = {Departure::How::killed, d.signal, d.core};
    lines_.gone({d.pid, d.tid, d.when}, how);
    flush();
  }
  void lost(const Loss& l) override {
    lines_.lost({l.pid, l.tid, l.when}, l.calls);
    flush();
  }
  void end(const Losses& losses) override {
    lines_.end(losses);
    flush();
  }

 private:
  void flush() {
    to_.write(lines_.out());
    lines_.out().clear();
  }

  Output& to_;
  JsonLines lines_;
};

}  // namespace

extern const Format json;
const Format json{.name = "json",
                  .help = "JSON lines, as print --as json: an object for each call and signal",
                  .target = Target::stream,
                  .details = true,
                  .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                    return std::make_unique<JsonExport>(to, session);
                  }};

}  // namespace sctrace
