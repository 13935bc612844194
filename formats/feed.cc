#include "formats/feed.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_map>

#include "formats/read/decode.h"
#include "formats/read/endings.h"
#include "formats/read/open_calls.h"
#include "formats/read/structs.h"
#include "formats/read/symbols.h"
#include "formats/relay.h"

namespace sctrace {

namespace {

constexpr size_t deepest = 64;  // handlers within handlers that are still told apart

std::string comm_of(const std::string& path) {
  return std::filesystem::path(path).filename().string().substr(0, 15);
}

class Feeder {
 public:
  Feeder(const read::Trace& trace, const Session& session, Sink& sink, const FeedOptions& options)
      : session_(session), sink_(sink, options.beside), options_(options) {
    last_ = session.began;
    for (const read::Image& image : trace.images())
      if (image.last.tsc) last_ = std::max(last_, trace.clock().ns(image.last.tsc));
    files_.wants_details = options.details;
    follows_files_ = options.enter == Detail::values || options.leave == Detail::values;
  }

  void add(const read::Item& item) {
    now_ = item.when;
    switch (item.kind) {
      case read::Item::Kind::enter: return enter(item);
      case read::Item::Kind::leave: return leave(item);
      case read::Item::Kind::signal: return signal(item);
      case read::Item::Kind::thread: return thread(*item.thread);
      case read::Item::Kind::ending: return ending(item);
      case read::Item::Kind::gone: return gone(item);
      case read::Item::Kind::lost:
        thread_of(item.pid, item.tid);
        return sink_.tell(Loss{item.pid, item.tid, item.when, item.lost});
    }
  }

  void end(const Losses& losses) {
    for (const read::Ending& one : endings_.at_end()) killed(one);
    while (!processes_.empty()) close_all(processes_.begin()->first);
    sink_.end(losses);
  }

  double progress() const {
    if (now_ >= last_ || last_ <= session_.began) return 1;
    return static_cast<double>(now_ - std::min(now_, session_.began)) /
           static_cast<double>(last_ - session_.began);
  }

 private:
  // A call that has been made and not left.
  struct Open {
    const read::Call* call = nullptr;
    uint64_t began = 0;
    bool interrupted = false;  // by a handler: it may go on
    bool told = false;
    std::unique_ptr<Event> event = nullptr;  // as it was made, if nobody knew how it would end
  };
  struct Thread {
    std::string name;
    uint64_t last = 0;  // its clock, which is never told to run backwards
    std::vector<Open> open;
  };
  struct Process {
    const Program* program = nullptr;
    std::string executed;  // by its last execve, as named there
    std::map<uint32_t, Thread> threads;
  };

  // --- calls
  bool wanted(const read::Call& call) const {
    return options_.calls.test(std::min(call.nr, arch::number_limit));
  }

  read::Depth depth() const { return options_.details ? read::Depth::whole : read::Depth::brief; }

  // Bytes that its event may hold.
  static size_t weight(const read::Call& call) {
    size_t bytes = 0;
    for (const read::Piece& piece : call.memory) bytes += piece.bytes.size();
    return bytes;
  }

  // What was known of the call when it was made; the reader may know more.
  Event made(const read::Call& call, Detail detail, uint64_t began) {
    Event e;
    if (detail == Detail::values) {
      read::Call before = call;
      before.ended = false;
      std::erase_if(before.memory, [](const read::Piece& p) { return p.out; });
      e = read::decode(before, &files_, &sockets_, depth());
    } else {
      e = read::plain(call);
    }
    e.ended = e.failed = false;
    e.result = 0;
    e.began = e.finished = began;
    e.stack = symbols_.stack_of(call);
    keep_socket(e);
    return e;
  }

  // As it is now: files_ goes on changing while the sink, in its thread, may still read.
  void keep_socket(Event& e) const {
    if (e.socket && options_.beside) e.socket = std::make_shared<read::OpenFile>(*e.socket);
  }

  void enter(const read::Item& item) {
    const read::Call& call = *item.call;
    Thread& thread = thread_of(item.pid, item.tid);
    while (!thread.open.empty() && !thread.open.back().interrupted) abandon(thread);
    if (thread.open.size() == deepest) abandon(thread, 0);
    if (follows_files_) files_.enter(call);
    endings_.enter(call);
    Open open{.call = &call, .began = std::max(thread.last, call.began), .told = wanted(call)};
    thread.last = open.began;
    if (open.told) {
      if (options_.enter != Detail::none)
        sink_.tell(Relay::Entered{made(call, options_.enter, open.began)}, weight(call));
      if (!call.ended && options_.leave != Detail::none)
        open.event = std::make_unique<Event>(made(call, options_.leave, open.began));
    }
    const bool returns = read::lookup(call.nr).result != arch::Result::never;
    thread.open.push_back(std::move(open));
    if (!returns) abandon(thread);
    if (call.nr == arch::nr_exit) dies(call);
  }

  void ending(const read::Item& item) {
    Thread& thread = thread_of(item.pid, item.tid);
    while (!thread.open.empty()) abandon(thread);
    if (item.call->nr == arch::nr_exit) dies(*item.call);
  }

  void leave(const read::Item& item) {
    const read::Call& call = *item.call;
    Thread& thread = thread_of(item.pid, item.tid);
    while (!thread.open.empty() && thread.open.back().call != &call) abandon(thread);
    if (follows_files_) files_.learn(call);
    if (!thread.open.empty()) {
      const Open open = std::move(thread.open.back());
      thread.open.pop_back();
      const uint64_t spent = call.finished - std::min(call.began, call.finished);
      thread.last = std::max(thread.last, open.began + spent);
      if (open.told) left(call, open.began, thread.last);
    }
    if (follows_files_) files_.forget(call);
    notice(call, thread);
    for (const read::Ending& one : endings_.leave(call)) killed(one);
  }

  void left(const read::Call& call, uint64_t began, uint64_t finished) {
    if (options_.leave == Detail::none) return;
    Relay::Telling told{Relay::Left{options_.leave == Detail::values
                                        ? read::decode(call, &files_, &sockets_, depth())
                                        : read::plain(call)}};
    Event& e = std::get<Relay::Left>(told).event;
    e.began = began, e.finished = finished;
    e.stack = symbols_.stack_of(call);
    keep_socket(e);
    sink_.tell(std::move(told), weight(call));
  }

  // What a call says about its thread.
  void notice(const read::Call& call, Thread& thread) {
    if (follows_files_) sockets_.learn(call);
    constexpr uint64_t set_name = 15;  // PR_SET_NAME
    if (call.nr == arch::nr_prctl && call.args[0] == set_name && call.result == 0) {
      thread.name = read::string_of(call, 1).substr(0, 15);
      sink_.tell(Naming{call.pid, call.tid, now_, thread.name});
    } else if (read::is_exec(call.nr) && call.result >= 0) {
      processes_[call.pid].executed = read::string_of(call, call.nr == arch::nr_execveat);
    }
  }

  // The innermost open call is known never to come back.
  void abandon(Thread& thread) { abandon(thread, thread.open.size() - 1); }

  void abandon(Thread& thread, size_t index) {
    Open open = std::move(thread.open[index]);
    thread.open.erase(thread.open.begin() + static_cast<ptrdiff_t>(index));
    if (!open.event) return;
    open.event->finished = thread.last = std::max(thread.last, now_);
    sink_.tell(Relay::Left{std::move(*open.event)});
  }

  // --- threads and processes
  Thread& thread_of(uint32_t pid, uint32_t tid) {
    if (cached_ && cached_pid_ == pid && cached_tid_ == tid) return *cached_;
    const auto process = processes_.find(pid);
    if (process == processes_.end() || !process->second.threads.contains(tid))
      born(pid, tid, 0, process == processes_.end() ? Birth::Kind::process : Birth::Kind::thread);
    cached_pid_ = pid, cached_tid_ = tid;
    return *(cached_ = &processes_[pid].threads[tid]);
  }

  void born(uint32_t pid, uint32_t tid, uint32_t parent, Birth::Kind kind) {
    cached_ = nullptr;
    Process& process = processes_[pid];
    Thread& thread = process.threads[tid];
    if (kind != Birth::Kind::thread && !process.program) process.program = program_of(pid);
    if (thread.name.empty()) thread.name = name_of(process, parent);
    sink_.tell(Birth{kind, pid, tid, parent, now_, thread.name, process.program});
  }

  // A new thread is called as the one that made it.
  std::string name_of(const Process& process, uint32_t parent) const {
    for (const auto& [pid, one] : processes_) {
      if (&one != &process && !parent) continue;
      const auto maker = one.threads.find(parent ? parent : pid);
      if (maker != one.threads.end() && !maker->second.name.empty()) return maker->second.name;
    }
    return process.program ? comm_of(process.program->path) : "";
  }

  // The newest program that this process may be running now.
  const Program* program_of(uint32_t pid) const {
    const Program* newest = nullptr;
    for (const Program& one : session_.programs)
      if (one.pid == pid && (!newest || one.began <= now_)) newest = &one;
    return newest;
  }

  void thread(const read::Thread& record) {
    if (follows_files_) files_.begin(record);
    const auto process = processes_.find(record.pid);
    const bool known = process != processes_.end();
    switch (record.began) {
      case wire::Began::back: return;
      case wire::Began::adopted:
      case wire::Began::clone:
        if (known && process->second.threads.contains(record.tid)) {
          if (record.began == wire::Began::adopted) return;
          dies_silently(record.pid, record.tid);
        }
        return born(record.pid, record.tid, record.parent, Birth::Kind::thread);
      case wire::Began::fork:
      case wire::Began::vfork: {
        if (known) close_all(record.pid);  // the number is used again
        const Program* program = parents_program(record.parent);
        processes_[record.pid].program = program;
        return born(record.pid, record.tid, record.parent, Birth::Kind::process);
      }
      case wire::Began::image:
      case wire::Began::exec: return begin_program(record);
    }
  }

  const Program* parents_program(uint32_t parent) const {
    for (const auto& [pid, one] : processes_)
      if (one.threads.contains(parent)) return one.program;
    return nullptr;
  }

  void begin_program(const read::Thread& record) {
    const auto found = processes_.find(record.pid);
    const bool known = found != processes_.end();
    std::string name;
    if (known) {  // of a process that execs, one thread is left
      name = comm_of(found->second.executed);
      std::vector<uint32_t> others;
      for (auto& [tid, thread] : found->second.threads)
        if (tid != record.tid) others.push_back(tid);
      for (const uint32_t tid : others) dies_silently(record.pid, tid);
    }
    Process& process = processes_[record.pid];
    process.program = program_of(record.pid);
    if (name.empty() && process.program) name = comm_of(process.program->path);
    process.threads[record.tid].name = name;
    born(record.pid, record.tid, record.parent,
         known ? Birth::Kind::program : Birth::Kind::process);
  }

  // Nobody saw the end of this thread; it is certain all the same.
  void dies_silently(uint32_t pid, uint32_t tid) {
    Process& process = processes_[pid];
    Thread& thread = process.threads[tid];
    while (!thread.open.empty()) abandon(thread);
    sink_.tell(Death{.pid = pid, .tid = tid, .when = now_});
    cached_ = nullptr;
    process.threads.erase(tid);
  }

  void dies(const read::Call& call) {
    Death death{.pid = call.pid, .tid = call.tid, .when = now_, .how = Death::How::exited};
    death.status = call.args[0] & 0xff;
    sink_.tell(death);
    cached_ = nullptr;
    processes_[call.pid].threads.erase(call.tid);
  }

  // Leaves what is open in a process and forgets it.
  void close_all(uint32_t pid) {
    const auto found = processes_.find(pid);
    if (found == processes_.end()) return;
    for (auto& [tid, thread] : found->second.threads)
      while (!thread.open.empty()) abandon(thread);
    cached_ = nullptr;
    processes_.erase(found);
  }

  void gone(const read::Item& item) {
    endings_.gone(item.pid);
    close_all(item.pid);
    Death death{.process = true, .pid = item.pid, .tid = item.tid, .when = item.when};
    if (item.call && (item.call->nr == arch::nr_exit_group || item.call->nr == arch::nr_exit)) {
      death.how = Death::How::exited;
      death.status = item.call->args[0] & 0xff;
    }
    sink_.tell(death);
  }

  void killed(const read::Ending& one) {
    if (!processes_.contains(one.pid)) return;
    const uint32_t tid = one.pid;
    close_all(one.pid);
    Death death{.process = true, .pid = one.pid, .tid = tid, .when = now_};
    death.how = Death::How::killed;
    death.signal = one.signal, death.core = one.core;
    sink_.tell(death);
  }

  void signal(const read::Item& item) {
    Thread& thread = thread_of(item.pid, item.tid);
    if (!thread.open.empty()) thread.open.back().interrupted = true;
    uint8_t info[128] = {};
    std::memcpy(info, item.signal->siginfo, sizeof item.signal->siginfo);
    Arrival arrival;
    arrival.pid = item.pid, arrival.tid = item.tid;
    arrival.when = thread.last = std::max(thread.last, item.when);
    arrival.address = item.signal->address;
    arrival.number = read::peek<uint32_t>(info);
    arrival.name = signal_name(arrival.number);
    arrival.info = read::siginfo_value(info, sizeof info);
    arrival.stack = symbols_.stack_of(*item.signal);
    sink_.tell(std::move(arrival));
  }

  const Session& session_;
  Relay sink_;
  const FeedOptions& options_;
  bool follows_files_ = false;
  uint64_t now_ = 0, last_ = 0;
  read::Files files_;
  read::NetlinkSockets sockets_;
  read::Endings endings_;
  read::Symbols symbols_;
  std::map<uint32_t, Process> processes_;
  Thread* cached_ = nullptr;
  uint32_t cached_pid_ = 0, cached_tid_ = 0;
};

}  // namespace

struct Feed::Steps {
  Steps(const read::Trace& trace, const Session& session, Sink& sink, FeedOptions how)
      : options(std::move(how)), timeline(trace), feeder(trace, session, sink, options) {}
  const FeedOptions options;
  read::Timeline timeline;
  Feeder feeder;
};

Feed::Feed(const read::Trace& trace, const Session& session, Sink& sink, FeedOptions options)
    : steps_(std::make_unique<Steps>(trace, session, sink, std::move(options))) {}
Feed::~Feed() = default;

bool Feed::next() {
  read::Item item;
  if (steps_->timeline.next(item)) return steps_->feeder.add(item), true;
  steps_->feeder.end(losses());
  return false;
}

Losses Feed::losses() const { return steps_->timeline.losses(); }
double Feed::progress() const { return steps_->feeder.progress(); }

Losses feed(const read::Trace& trace, const Session& session, Sink& sink,
            const FeedOptions& options) {
  Feed steps(trace, session, sink, options);
  constexpr uint64_t often = 1 << 14;
  for (uint64_t count = 1; steps.next(); ++count)
    if (options.progress && count % often == 0) options.progress(steps.progress());
  return steps.losses();
}

}  // namespace sctrace
