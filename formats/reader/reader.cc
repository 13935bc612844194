// libsctrace-reader: <sctrace/reader.h> over the feed that every format is told by. Exceptions end
// here.
#include "formats/reader/sctrace/reader.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "formats/feed.h"
#include "formats/read/decode.h"
#include "formats/read/table.h"
#include "formats/reader/values.h"
#include "formats/text.h"

namespace sctrace {

namespace {

using Happened = std::variant<Event, Arrival, Birth, Death, Loss>;

// What one step of the feed tells.
class Queue final : public Sink {
 public:
  void leave(const Event& e) override { waiting.emplace_back(e); }
  void signal(const Arrival& a) override { waiting.emplace_back(a); }
  void birth(const Birth& b) override { waiting.emplace_back(b); }
  void death(const Death& d) override { waiting.emplace_back(d); }
  void lost(const Loss& l) override { waiting.emplace_back(l); }
  void end(const Losses&) override {}
  std::vector<Happened> waiting;
};

FeedOptions options_of(uint32_t options) {
  FeedOptions how;
  how.enter = Detail::none;
  how.leave = options & SCTRACE_READER_RAW ? Detail::raw : Detail::values;
  return how;
}

uint32_t flags_of(const Event& e) {
  uint32_t flags = 0;
  const auto set = [&](bool is, uint32_t bit) { flags |= is ? bit : 0; };
  set(e.ended, SCTRACE_READER_ENDED);
  set(e.ended && e.timed, SCTRACE_READER_TIMED);
  set(e.error() != 0, SCTRACE_READER_FAILED);
  set(e.trap, SCTRACE_READER_TRAPPED);
  set(e.injected, SCTRACE_READER_INJECTED);
  set(e.altered, SCTRACE_READER_ALTERED);
  return flags;
}

uint32_t stack_flags_of(const Stack& stack) {
  uint32_t flags = stack.is_guessed() ? SCTRACE_READER_STACK_GUESSED : 0;
  if (stack.how_it_ends() == Stack::End::cut) flags |= SCTRACE_READER_STACK_CUT;
  if (stack.how_it_ends() == Stack::End::broken) flags |= SCTRACE_READER_STACK_BROKEN;
  return flags;
}

// The table that calls are decoded by is one of the process, so one reader works at a time.
std::mutex one_at_a_time;
const void* last_at_work = nullptr;

}  // namespace

}  // namespace sctrace

struct sctrace_reader {
  sctrace_reader(const char* directory, uint32_t options)
      : trace(directory),
        raw(options & SCTRACE_READER_RAW),
        session(sctrace::session_of(trace)),
        feed(trace, session, queue, sctrace::options_of(options)) {}

  bool step();
  void tell(const sctrace::Event& e);
  void tell(const sctrace::Arrival& a);
  void tell(const sctrace::Birth& b);
  void tell(const sctrace::Death& d);
  void tell(const sctrace::Loss& l);
  const sctrace::Event* call() const {
    return now < queue.waiting.size() ? std::get_if<sctrace::Event>(&queue.waiting[now]) : nullptr;
  }
  sctrace::TextOptions words() const {
    sctrace::TextOptions words;
    words.strsize = limit;
    return words;
  }

  const sctrace::read::Trace trace;
  const bool raw;
  const sctrace::Session session;
  sctrace::Queue queue;
  sctrace::Feed feed;
  size_t now = 0, next = 0;  // in the queue
  bool over = false;
  uint64_t limit = 32;
  sctrace_reader_event event{};
  sctrace_reader_losses losses{};
  sctrace::Values values;
  std::deque<sctrace_reader_frame> frames;  // those of the event that were asked for
  std::string error_name, text, shown, wrong;
};

namespace {

using namespace sctrace;

// Whatever is thrown becomes `nothing`, and a text.
template <class Work, class Answer>
Answer guarded(sctrace_reader* reader, Answer nothing, Work&& work) {
  try {
    const std::lock_guard lock(one_at_a_time);
    if (last_at_work != reader) read::use(reader->trace.table());
    last_at_work = reader;
    return work();
  } catch (const std::exception& error) {
    reader->wrong = error.what();
  } catch (...) {
    reader->wrong = "failed, nobody knows why";
  }
  reader->over = true;
  return nothing;
}

void say(const char* what, char* to, size_t bytes) {
  if (!to || !bytes) return;
  const size_t n = std::min(std::strlen(what), bytes - 1);
  std::memcpy(to, what, n);
  to[n] = '\0';
}

}  // namespace

// On to what happened next, if anything did.
bool sctrace_reader::step() {
  values.clear();
  while (next == queue.waiting.size()) {
    queue.waiting.clear();
    now = next = 0;
    if (over) return false;
    over = !feed.next();
  }
  now = next++;
  event = {};
  event.size = sizeof event;
  std::visit([this](const auto& one) { tell(one); }, queue.waiting[now]);
  return true;
}

void sctrace_reader::tell(const Event& e) {
  event.kind = SCTRACE_READER_CALL;
  event.pid = e.pid, event.tid = e.tid;
  event.time = e.began;
  event.duration = e.ended && e.timed ? e.finished - e.began : 0;
  event.number = e.nr;
  event.name = e.name.c_str();
  event.result = e.ended ? e.result : 0;
  event.site = e.site;
  std::copy(std::begin(e.raw), std::end(e.raw), event.raw);
  event.raw_count = e.argc;
  event.path_count = static_cast<uint32_t>(e.paths.size());
  event.flags = sctrace::flags_of(e);
  event.frame_count = static_cast<uint32_t>(e.stack.size());
  event.stack = sctrace::stack_flags_of(e.stack);
  if (!e.error()) return;
  error_name = sctrace::error_name(e.error());
  event.error = error_name.c_str();
}

void sctrace_reader::tell(const Arrival& a) {
  event.kind = SCTRACE_READER_SIGNAL;
  event.pid = a.pid, event.tid = a.tid;
  event.time = a.when;
  event.number = a.number;
  event.name = a.name.c_str();
}

void sctrace_reader::tell(const Birth& b) {
  event.kind = SCTRACE_READER_BORN;
  event.pid = b.pid, event.tid = b.tid;
  event.time = b.when;
  event.number = b.parent;
  event.name = b.name.c_str();
  event.flags = b.kind == Birth::Kind::thread ? 0 : SCTRACE_READER_PROCESS;
}

void sctrace_reader::tell(const Death& d) {
  event.kind = SCTRACE_READER_GONE;
  event.pid = d.pid, event.tid = d.tid;
  event.time = d.when;
  event.name = "";
  event.flags = d.process ? SCTRACE_READER_PROCESS : 0;
  if (d.how == Death::How::exited) event.flags |= SCTRACE_READER_EXITED, event.number = d.status;
  if (d.how == Death::How::killed) event.flags |= SCTRACE_READER_KILLED, event.number = d.signal;
}

void sctrace_reader::tell(const Loss& l) {
  event.kind = SCTRACE_READER_LOST;
  event.pid = l.pid, event.tid = l.tid;
  event.time = l.when;
  event.name = "";
  event.lost = l.calls;
}

extern "C" {

uint32_t sctrace_reader_abi() { return SCTRACE_READER_ABI; }

sctrace_reader* sctrace_reader_open(const char* directory, uint32_t options, char* error,
                                    size_t error_bytes) {
  try {
    const std::lock_guard lock(one_at_a_time);
    last_at_work = nullptr;
    if (options & ~uint32_t{SCTRACE_READER_RAW})
      throw std::invalid_argument("an option of sctrace_reader_open() that is unknown here");
    return new sctrace_reader(directory, options);
  } catch (const std::exception& wrong) {
    say(wrong.what(), error, error_bytes);
  } catch (...) {
    say("failed, nobody knows why", error, error_bytes);
  }
  return nullptr;
}

void sctrace_reader_close(sctrace_reader* reader) {
  const std::lock_guard lock(one_at_a_time);
  last_at_work = nullptr;  // the next one may lie at the same address
  delete reader;
}

const sctrace_reader_event* sctrace_reader_next(sctrace_reader* reader) {
  const sctrace_reader_event* none = nullptr;
  if (!reader->wrong.empty()) return none;
  return guarded(reader, none, [&] { return reader->step() ? &reader->event : nullptr; });
}

const char* sctrace_reader_error(const sctrace_reader* reader) {
  return reader->wrong.empty() ? nullptr : reader->wrong.c_str();
}

const sctrace_reader_value* sctrace_reader_argument(sctrace_reader* reader, uint32_t n) {
  const sctrace_reader_value* none = nullptr;
  return guarded(reader, none, [&] {
    const Event* call = reader->call();
    if (!call || n >= call->args.size()) return none;
    const arch::Row& row = read::lookup(call->nr);
    const char* name = n < row.arity ? row.args[n].name : nullptr;
    return reader->values.made(call->args[n], name ? name : "");
  });
}

const sctrace_reader_value* sctrace_reader_result(sctrace_reader* reader) {
  const sctrace_reader_value* none = nullptr;
  return guarded(reader, none, [&] {
    const Event* call = reader->call();
    if (!call || !call->ended || call->error()) return none;
    return reader->values.made(call->value);
  });
}

const char* sctrace_reader_path(sctrace_reader* reader, uint32_t n) {
  const Event* call = reader->call();
  return call && n < call->paths.size() ? call->paths[n].c_str() : nullptr;
}

const sctrace_reader_frame* sctrace_reader_caller(sctrace_reader* reader, uint32_t n) {
  const Event* call = reader->call();
  if (!call || n >= call->stack.size()) return nullptr;
  const Frame& from = call->stack[n];
  while (reader->frames.size() <= n) reader->frames.emplace_back();
  sctrace_reader_frame& to = reader->frames[n];
  to = {sizeof to,           from.inlined, from.address, from.object.c_str(),
        from.symbol.c_str(), from.offset,  from.in_file};
  return &to;
}

const char* sctrace_reader_text(sctrace_reader* reader) {
  return guarded(reader, "", [&]() -> const char* {
    const Event* call = reader->call();
    if (!call || reader->raw) return "";
    TextPrinter line(reader->words());
    line.leave(*call);
    reader->text = std::move(line.out());
    if (reader->text.ends_with('\n')) reader->text.pop_back();
    return reader->text.c_str();
  });
}

const char* sctrace_reader_show(sctrace_reader* reader, const sctrace_reader_value* value) {
  return guarded(reader, "", [&]() -> const char* {
    const Value* origin = reader->values.origin(value);
    if (!origin) return "";
    reader->shown = shown(*origin, reader->words());
    return reader->shown.c_str();
  });
}

void sctrace_reader_limit(sctrace_reader* reader, uint64_t characters) {
  reader->limit = characters;
}

int64_t sctrace_reader_wall_offset(const sctrace_reader* reader) {
  return reader->session.wall_offset;
}

const sctrace_reader_losses* sctrace_reader_missing(struct sctrace_reader* reader) {
  return guarded(reader, &reader->losses, [&] {
    const Losses all = reader->feed.losses();
    reader->losses = {
        sizeof reader->losses, all.clock_uncertain, all.calls,  all.gaps, all.rolled_over, all.cut,
        all.untraced,          all.unfinished,      all.damaged};
    return &reader->losses;
  });
}

}  // extern "C"
