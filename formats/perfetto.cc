// Perfetto's own trace: a stream of TracePackets. Each call is a slice on the track of its thread,
// with its arguments as annotations; names are interned. Field numbers are those of
// protos/perfetto/trace, https://perfetto.dev/docs/reference/trace-packet-proto.
#include <fmt/format.h>

#include <map>
#include <unordered_map>

#include "formats/callers.h"
#include "formats/format.h"
#include "formats/phrase.h"
#include "formats/protobuf.h"
#include "formats/utf8.h"

namespace sctrace {

namespace {

using namespace protobuf;

namespace packet {
enum : uint32_t {
  timestamp = 8,
  track_event = 11,
  interned_data = 12,
  sequence_flags = 13,
  sequence = 10,
  clock_snapshot = 6,
  system_info = 45,
  clock_id = 58,
  track_descriptor = 60
};
}
namespace event {
enum : uint32_t {
  category = 3,
  annotation = 4,
  type = 9,
  name = 10,
  track = 11,
  plain_name = 23,
  frames = 56
};
enum Kind : uint32_t { slice_begin = 1, slice_end = 2, instant = 3 };
}  // namespace event
namespace annotation {
enum : uint32_t { name = 1, unsigned_value = 3, signed_value = 4, text = 6 };
}
namespace interned {
enum : uint32_t {
  categories = 1,
  names = 2,
  annotation_names = 3,
  function_names = 5,
  frames = 6,
  callstacks = 7
};
}
constexpr uint32_t monotonic = 3, realtime = 1;  // builtin clocks
constexpr uint64_t cleared = 1, needed = 2;      // incremental state
constexpr size_t most_interned = 1 << 16;        // then all is forgotten, by both sides

class Perfetto final : public Sink {
 public:
  Perfetto(Output& to, const Session& session) : to_(to), session_(session) {
    begin(session.began);
    put_number(line_, packet::sequence_flags, cleared);
    std::string both;
    for (const auto& [id, offset] :
         {std::pair{monotonic, int64_t{0}}, {realtime, session.wall_offset}}) {
      std::string clock;
      put_number(clock, 1, id);
      put_number(clock, 2, session.began + static_cast<uint64_t>(offset));
      put_bytes(both, 1, clock);
    }
    put_number(both, 2, monotonic);  // primary
    put_bytes(line_, packet::clock_snapshot, both);
    finish();
    begin(session.began);
    std::string utsname, info;
    put_bytes(utsname, 1, "Linux");
    put_bytes(utsname, 3, utf8_of(session.kernel));
    put_bytes(utsname, 4, "x86_64");
    put_bytes(info, 1, utsname);
    put_bytes(line_, packet::system_info, info);
    finish();
  }

  // Both ends at once: readers sort by time.
  void leave(const Event& e) override {
    std::string& slice = open(e.began, event::slice_begin, e.pid, e.tid);
    put_number(slice, event::category, id_of(interned::categories, "syscall"));
    put_number(slice, event::name, id_of(interned::names, e.name));
    for (size_t i = 0; i < e.args.size(); ++i)
      if (e.args[i].kind != Value::Kind::absent) annotate(argument_name(e, i), text_of(e.args[i]));
    annotate("nr", annotation::unsigned_value, e.nr);
    if (e.ended) {
      annotate("ret", annotation::signed_value, static_cast<uint64_t>(e.result));
      text_.clear();
      append_result(text_, e, session_.words);
      annotate("result", std::string_view(text_).substr(2));
    } else {
      annotate("result", "unfinished");
    }
    if (e.error()) annotate("errno", errno_name(e.error()));
    if (!e.paths.empty()) annotate("path", e.paths.front());
    if (!e.stack.empty()) put_number(slice, event::frames, callstack(e));
    close();
    open(e.finished, event::slice_end, e.pid, e.tid);
    close();
  }

  void signal(const Arrival& a) override {
    note(a.when, a.pid, a.tid, "signal", a.name, {{"siginfo", shown(a.info, session_.words)}});
  }

  void birth(const Birth& b) override {
    if (b.kind != Birth::Kind::thread) describe_process(b);
    describe_thread(b.pid, b.tid, b.name);
    if (b.kind == Birth::Kind::program)
      note(b.when, b.pid, b.tid, "life", "program began",
           {{"program", b.program ? b.program->path : ""}});
  }

  void name(const Naming& n) override { describe_thread(n.pid, n.tid, n.name); }

  void death(const Death& d) override {
    const std::string how = phrase(d);
    note(d.when, d.pid, d.tid, "life", how.empty() ? "ended" : how, {});
  }

  void lost(const Loss& loss) override {
    note(loss.when, loss.pid, loss.tid, "lost", "calls lost",
         {{"calls", std::to_string(loss.calls)}, {"what", phrase(loss)}});
    last_ = std::max(last_, loss.when);
  }

  // What is missing in all: instants of no thread, at the end.
  void end(const Losses& losses) override {
    for (const Missing& one : missing(losses)) {
      std::string& at = start(last_, event::instant);
      put_number(at, event::track, 0);
      put_number(at, event::category, id_of(interned::categories, "lost"));
      put_bytes(at, event::plain_name, fmt::format("{}: {}", one.what, one.count));
      annotate(one.name, annotation::unsigned_value, one.count);
      close();
    }
  }

 private:
  using Notes = std::vector<std::pair<std::string_view, std::string>>;

  void begin(uint64_t when) {
    line_.clear();
    put_number(line_, packet::timestamp, when);
    put_number(line_, packet::clock_id, monotonic);
    put_number(line_, packet::sequence, 1);
    last_ = std::max(last_, when);
  }

  void finish() {
    whole_.clear();
    put_bytes(whole_, 1, line_);
    to_.write(whole_);
  }

  std::string& start(uint64_t when, event::Kind kind) {
    begin(when);
    inner_.clear();
    interned_.clear();
    put_number(inner_, event::type, kind);
    return inner_;
  }

  std::string& open(uint64_t when, event::Kind kind, uint32_t pid, uint32_t tid) {
    start(when, kind);
    put_number(inner_, event::track, track_of(pid, tid));
    return inner_;
  }

  void close() {
    if (ids_.size() > most_interned) {
      ids_.clear();  // what this packet names is told anew by the next that says `cleared`
      forget_ = true;
    }
    put_number(line_, packet::sequence_flags, needed | (cleared_now_ ? cleared : 0));
    cleared_now_ = std::exchange(forget_, false);
    if (!interned_.empty()) put_bytes(line_, packet::interned_data, interned_);
    put_bytes(line_, packet::track_event, inner_);
    finish();
  }

  static uint64_t track_of(uint32_t pid, uint32_t tid) { return uint64_t{pid} << 32 | tid; }
  static uint64_t process_track(uint32_t pid) { return uint64_t{pid} << 32; }

  // The number that stands for a text of this kind; told with the packet that first uses it.
  uint64_t id_of(uint32_t kind, std::string_view text) {
    key_.assign(1, static_cast<char>(kind));
    key_ += text;
    const auto [found, is_new] = ids_.try_emplace(key_, 0);
    if (!is_new) return found->second;
    found->second = ++next_id_;
    std::string entry;
    put_number(entry, 1, found->second);
    put_bytes(entry, 2, utf8_of(text));
    put_bytes(interned_, kind, entry);
    return found->second;
  }

  std::string_view text_of(const Value& value) {  // until the next
    text_.clear();
    append_shown(text_, value, session_.words);
    return text_;
  }

  void annotate(std::string_view name, std::string_view text) {
    note_.clear();
    utf8_.clear();
    put_utf8(utf8_, text);
    put_number(note_, annotation::name, id_of(interned::annotation_names, name));
    put_bytes(note_, annotation::text, utf8_);
    put_bytes(inner_, event::annotation, note_);
  }

  void annotate(std::string_view name, uint32_t field, uint64_t value) {
    note_.clear();
    put_number(note_, annotation::name, id_of(interned::annotation_names, name));
    put_number(note_, field, value);
    put_bytes(inner_, event::annotation, note_);
  }

  void note(uint64_t when, uint32_t pid, uint32_t tid, std::string_view category,
            std::string_view name, const Notes& notes) {
    std::string& at = open(when, event::instant, pid, tid);
    put_number(at, event::category, id_of(interned::categories, category));
    put_bytes(at, event::plain_name, utf8_of(name));
    for (const auto& [key, text] : notes) annotate(key, text);
    close();
  }

  // The stack interned: its functions, its frames, itself. Outermost first.
  uint64_t callstack(const Event& e) {
    std::string stack, key;
    std::vector<uint64_t> frames;
    for (auto frame = e.stack.rbegin(); frame != e.stack.rend(); ++frame) {
      const uint64_t function = id_of(interned::function_names, utf8_of(name_of(*frame)));
      frames.push_back(structured(interned::frames, fmt::format("{} {}", function, frame->offset),
                                  [&](std::string& to) {
                                    put_number(to, 2, function);
                                    put_number(to, 4, frame->offset);
                                  }));
      key += fmt::format("{} ", frames.back());
    }
    return structured(interned::callstacks, key, [&](std::string& to) {
      for (const uint64_t frame : frames) put_number(to, 2, frame);
    });
  }

  template <class Fill>
  uint64_t structured(uint32_t kind, const std::string& what, Fill fill) {
    key_.assign(1, static_cast<char>(kind));
    key_ += what;
    const auto [found, is_new] = ids_.try_emplace(key_, 0);
    if (!is_new) return found->second;
    found->second = ++next_id_;
    std::string entry;
    put_number(entry, 1, found->second);
    fill(entry);
    put_bytes(interned_, kind, entry);
    return found->second;
  }

  void describe_process(const Birth& b) {
    std::string process, track;
    put_number(process, 1, b.pid);
    if (b.program)
      for (const std::string& one : b.program->arguments) put_bytes(process, 2, utf8_of(one));
    put_bytes(process, 6, utf8_of(b.program ? b.program->path : b.name));
    put_number(track, 1, process_track(b.pid));
    put_bytes(track, 3, process);
    describe(track);
  }

  void describe_thread(uint32_t pid, uint32_t tid, const std::string& name) {
    std::string thread, track;
    put_number(thread, 1, pid);
    put_number(thread, 2, tid);
    put_bytes(thread, 5, utf8_of(name));
    put_number(track, 1, track_of(pid, tid));
    put_number(track, 5, process_track(pid));
    put_bytes(track, 4, thread);
    describe(track);
  }

  void describe(const std::string& track) {
    line_.clear();
    put_number(line_, packet::sequence, 1);
    put_bytes(line_, packet::track_descriptor, track);
    finish();
  }

  Output& to_;
  const Session& session_;
  std::string line_, whole_, inner_, interned_, note_, key_, text_, utf8_;
  std::unordered_map<std::string, uint64_t> ids_;
  uint64_t next_id_ = 0, last_ = 0;
  bool forget_ = false, cleared_now_ = false;
};

}  // namespace

extern const Format perfetto;
const Format perfetto{.name = "perfetto",
                      .help = "Perfetto's protobuf, for ui.perfetto.dev and trace_processor",
                      .target = Target::binary,
                      .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                        return std::make_unique<Perfetto>(to, session);
                      }};

}  // namespace sctrace
