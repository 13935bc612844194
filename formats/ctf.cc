// CTF 1.8 in the shape of LTTng's kernel tracer, for babeltrace, Trace Compass and lttng-analyses.
// These take a thread from sched_switch on its processor, so each thread alive has a processor of
// its own (slots.h), which is a stream: a file. All streams begin when the trace does.
#include <algorithm>
#include <deque>
#include <map>

#include "arch/table.h"
#include "formats/bytes.h"
#include "formats/callers.h"
#include "formats/ctf_fields.h"
#include "formats/phrase.h"
#include "formats/read/table.h"
#include "formats/slots.h"
#include "formats/utf8.h"

namespace sctrace {

namespace {

using ctf::Id;
using ctf::Type;

constexpr uint32_t magic = 0xc1fc1fc1;
constexpr size_t context_at = 32, header_bytes = 84, packet_bytes = 1 << 16;
constexpr uint64_t events_a_call = 2;

class Ctf final : public Sink {
 public:
  Ctf(Output& to, const Session& session)
      : to_(to), session_(session), uuid_(ctf::uuid_of(session)) {}

  // An entry is written when its call comes back, since then its strings are known; before that
  // only if something else happens in the thread first.
  void enter(const Event& e) override {
    Stream& stream = stream_of(e.pid, e.tid);
    settle(stream);
    stream.open = true;
    stream.pending = e;
  }

  void leave(const Event& e) override {
    Stream& stream = stream_of(e.pid, e.tid);
    if (stream.open) write_entry(stream, e);
    stream.open = false;
    if (e.ended) write_exit(stream, e);
  }

  void signal(const Arrival& a) override {
    Stream& stream = begin(a.pid, a.tid, Id::signal_deliver, a.when);
    put(body_, a.number);
    for (const std::string_view name : {"si_errno", "si_code"}) {
      int32_t value = 0;
      for (const Value& v : a.info.items)
        if (v.name == name) value = static_cast<int32_t>(v.number);
      put(body_, value);
    }
    put_string(shown(a.info, session_.words));
    finish(stream, a.when);
  }

  void birth(const Birth& b) override {
    Thread& thread = threads_[b.tid];
    thread.name = b.name;
    if (b.kind != Birth::Kind::program) {
      thread.slot = slots_.take(b.pid, b.tid, b.when);
      thread.pid = b.pid;
      const auto parent = threads_.find(b.parent);
      if (parent != threads_.end() && b.parent != b.tid) forked(b, parent->second);
      told(b, parent == threads_.end() ? 0 : parent->second.pid);
      switched(b.pid, b.tid, b.when, 0, b.tid);
    } else {
      Stream& stream = begin(b.pid, b.tid, Id::process_exec, b.when);
      put_string(b.program ? b.program->path : b.name);
      put(body_, b.tid), put(body_, b.tid);
      finish(stream, b.when);
      told(b, 0);
    }
  }

  void name(const Naming& n) override { threads_[n.tid].name = n.name; }

  void death(const Death& d) override {
    if (!d.process) return gone(d.pid, d.tid, d.when);
    for (const auto& [tid, slot] : slots_.threads(d.pid)) gone(d.pid, tid, d.when);
  }

  void lost(const Loss& loss) override {
    Stream& stream = begin(loss.pid, loss.tid, Id::lost, loss.when);
    put(body_, loss.calls);
    finish(stream, loss.when);
    close_packet(stream);  // readers say of a packet that so much was discarded before it
    stream.discarded += events_a_call * std::max<uint64_t>(loss.calls, 1);
  }

  void end(const Losses& losses) override {
    for (Stream& stream : streams_) {
      settle(stream);
      if (!stream.content) open_packet(stream, stream.last);
      stream.last = last_;
      close_packet(stream);
    }
    to_.part("metadata").write(shapes_.metadata(session_, losses, classes_));
  }

 private:
  struct Stream {
    uint32_t number = 0;
    ctf::Class of = ctf::plain;
    Output* file = nullptr;
    uint64_t last = 0, packet_at = 0, content = 0;  // content: bytes of the packet so far; 0: none
    uint64_t begun = 0, packets = 0, discarded = 0;
    bool open = false;  // `pending` was entered and is not written
    Event pending;
  };
  struct Thread {
    uint32_t pid = 0, slot = 0;
    std::string name;
  };

  Stream& stream_of(uint32_t pid, uint32_t tid) {
    const uint32_t slot = slots_.of(pid, tid);
    while (streams_.size() <= slot) {
      Stream& stream = streams_.emplace_back();
      stream.number = static_cast<uint32_t>(streams_.size()) - 1;
      stream.file = &to_.part("stream_" + std::to_string(stream.number));
      stream.last = session_.began;
    }
    return streams_[slot];
  }

  // A stream of the other class, which is another file, goes on with the thread.
  void begin_callers(Stream& stream) {
    close_packet(stream);
    stream.file = &to_.part("stream_" + std::to_string(stream.number) + "_callers");
    stream.of = ctf::with_callers;
    stream.packets = stream.discarded = 0;
    classes_ = ctf::class_count;
  }

  // --- packets
  void open_packet(Stream& stream, uint64_t when) {
    stream.packet_at = stream.file->position();
    stream.begun = stream.packets ? when : session_.began;
    stream.content = header_bytes;
    std::string head;
    put(head, magic);
    head += uuid_;
    put(head, uint32_t{stream.of});
    put(head, uint64_t{stream.number});
    head.resize(header_bytes, '\0');
    stream.file->write(head);
  }

  void close_packet(Stream& stream) {
    if (!stream.content) return;
    std::string context;
    put(context, stream.begun), put(context, std::max(stream.begun, stream.last));
    put(context, stream.content * 8), put(context, stream.content * 8);
    put(context, stream.packets++), put(context, stream.discarded);
    put(context, stream.number);
    stream.file->write_at(stream.packet_at + context_at, context);
    stream.content = 0;
  }

  // --- events
  Stream& begin(uint32_t pid, uint32_t tid, uint32_t id, uint64_t when) {
    Stream& stream = stream_of(pid, tid);
    settle(stream);
    head(stream, pid, tid, id, when);
    return stream;
  }

  void head(Stream& stream, uint32_t pid, uint32_t tid, uint32_t id, uint64_t when,
            const Stack& stack = {}) {
    body_.clear();
    put(body_, id);
    put(body_, std::max(when, stream.last));
    put(body_, pid), put(body_, tid);
    put_comm(threads_[tid].name);
    if (stream.of == ctf::with_callers) put_callers(stack);
  }

  void finish(Stream& stream, uint64_t when) {
    stream.last = std::max(stream.last, when);
    last_ = std::max(last_, stream.last);
    if (stream.content && stream.content + body_.size() > packet_bytes) close_packet(stream);
    if (!stream.content) open_packet(stream, stream.last);
    stream.file->write(body_);
    stream.content += body_.size();
  }

  void put_comm(std::string_view name) {
    const size_t size = std::min<size_t>(name.size(), 15);
    body_.append(name.substr(0, size));
    body_.append(16 - size, '\0');
  }

  void put_string(std::string_view text) {
    put_utf8(body_, text.substr(0, text.find('\0')));
    body_ += '\0';
  }

  void put_field(const ctf::Field& field, const Event& e) {
    const uint64_t raw = e.raw[field.argument];
    const Value* value = field.argument < e.args.size() ? &e.args[field.argument] : nullptr;
    const bool is_text = value && value->kind == Value::Kind::text;
    switch (field.type) {
      case Type::i32:
      case Type::u32:
      case Type::x32:
      case Type::o32: return put(body_, static_cast<uint32_t>(raw));
      case Type::i64:
      case Type::u64:
      case Type::x64: return put(body_, raw);
      case Type::text: return put_string(is_text ? std::string_view(value->text) : "");
      case Type::bytes:
        put(body_, static_cast<uint32_t>(is_text ? value->text.size() : 0));
        if (is_text) body_ += value->text;
        return;
      case Type::comm: return;  // none is an argument's
    }
  }

  static bool is_known(const Event& e) { return read::lookup(e.nr).name != nullptr; }

  void write_entry(Stream& stream, const Event& e) {
    const uint32_t id = is_known(e) ? Id::first_call + 2 * e.nr : Id::unknown_entry;
    if (!e.stack.empty() && stream.of == ctf::plain) begin_callers(stream);
    head(stream, e.pid, e.tid, id, stream.pending.began, e.stack);
    if (is_known(e)) {
      for (const ctf::Field& field : shapes_.of(e.nr).entry) put_field(field, e);
    } else {
      put(body_, e.nr);
      for (const uint64_t raw : e.raw) put(body_, raw);
    }
    finish(stream, stream.pending.began);
  }

  // What is inlined has no address of its own.
  void put_callers(const Stack& stack) {
    body_ += callers_.of(stack, [&] {
      std::string addresses, bytes;
      for (const Frame& frame : stack)
        if (!frame.inlined) put(addresses, frame.address);
      put(bytes, static_cast<uint32_t>(addresses.size() / 8));
      return bytes + addresses + utf8_of(callers_of(stack)) + '\0';
    });
  }

  void write_exit(Stream& stream, const Event& e) {
    head(stream, e.pid, e.tid, is_known(e) ? Id::first_call + 2 * e.nr + 1 : Id::unknown_exit,
         e.finished);
    if (!is_known(e)) put(body_, e.nr);
    put(body_, e.result);
    if (is_known(e)) {
      const ctf::Shape& shape = shapes_.of(e.nr);
      for (const ctf::Field& field : shape.exit) put_field(field, e);
      if (shape.phrase) {
        text_.clear();
        put_phrase(text_, e, session_.words);
        put_string(text_);
      }
    }
    finish(stream, e.finished);
  }

  // Something else happens while a call is open: its entry must stand before that.
  void settle(Stream& stream) {
    if (stream.open) write_entry(stream, stream.pending);
    stream.open = false;
  }

  // --- lives
  void forked(const Birth& b, const Thread& parent) {
    Stream& stream = begin(parent.pid, b.parent, Id::process_fork, b.when);
    put_comm(parent.name);
    put(body_, b.parent), put(body_, parent.pid);
    put_comm(b.name);
    put(body_, b.tid), put(body_, b.pid);
    finish(stream, b.when);
  }

  void told(const Birth& b, uint32_t parent) {
    if (!parent && b.program) parent = b.program->ppid;
    Stream& stream = begin(b.pid, b.tid, Id::process_state, b.when);
    put(body_, b.tid), put(body_, b.tid);
    put(body_, b.pid), put(body_, b.pid);
    put(body_, parent), put(body_, parent);
    put_comm(b.name);
    for (const int32_t state : {0, 0, 0, 5, 0}) put(body_, state);
    finish(stream, b.when);
  }

  void switched(uint32_t pid, uint32_t tid, uint64_t when, uint32_t from, uint32_t to) {
    Stream& stream = begin(pid, tid, Id::sched_switch, when);
    const auto put_task = [&](uint32_t task) {
      put_comm(task ? threads_[task].name : "swapper");
      put(body_, task), put(body_, int32_t{20});
    };
    put_task(from);
    put(body_, int64_t{0});
    put_task(to);
    finish(stream, when);
  }

  void gone(uint32_t pid, uint32_t tid, uint64_t when) {
    Stream& stream = begin(pid, tid, Id::process_exit, when);
    put_comm(threads_[tid].name);
    put(body_, tid), put(body_, int32_t{20});
    finish(stream, when);
    switched(pid, tid, when, tid, 0);
    slots_.give(pid, tid, stream.last);
    threads_.erase(tid);
  }

  Output& to_;
  const Session& session_;
  std::string uuid_, body_, text_;
  ctf::Shapes shapes_;
  PerStack<std::string> callers_;
  uint32_t classes_ = 1;
  Slots slots_;
  std::deque<Stream> streams_;
  std::map<uint32_t, Thread> threads_;
  uint64_t last_ = 0;
};

}  // namespace

extern const Format ctf_format;
const Format ctf_format{
    .name = "ctf",
    .help = "CTF 1.8 as LTTng's, for babeltrace, Trace Compass and lttng-analyses",
    .target = Target::directory,
    .enter = Detail::raw,
    .leave = Detail::values,
    .mark = "metadata",
    .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
      return std::make_unique<Ctf>(to, session);
    }};

}  // namespace sctrace
