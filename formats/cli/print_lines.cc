#include "formats/cli/print_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "formats/filter.h"
#include "formats/ftrace.h"
#include "formats/json_lines.h"
#include "formats/read/open_calls.h"
#include "formats/read/structs.h"

namespace sctrace::cli {

namespace {
// By an engine: the kernel did nothing.
bool was_answered(const read::Call& call) { return call.how & wire::exit_skipped; }

// With what the kernel was given: another call only where engines made one of it.
template <class Use>
void with_made(const read::Call& call, Use use) {
  if (call.is_moved())
    use(call.made());
  else
    use(call);
}
}  // namespace

Outputs::Outputs(const Wish& wish) : wish_(wish) {
  if (wish.output.empty())
    to_ = stdout;
  else if (!wish.apart)
    to_ = file(0);
}

FILE* Outputs::file(uint32_t tid) {
  const std::string name = tid ? fmt::format("{}.{}", wish_.output, tid) : wish_.output;
  const bool again = !begun_.insert(tid).second;
  FILE* to = std::fopen(name.c_str(), again || wish_.append ? "a" : "w");
  if (!to) throw std::runtime_error(name + ": cannot be written");
  return to;
}

// With -ff a file is open only while it is written to: there may be thousands of threads.
void Outputs::write(uint32_t tid, std::string& text) {
  FILE* to = to_ ? to_ : file(tid);
  failed_ |= std::fwrite(text.data(), 1, text.size(), to) != text.size();
  text.clear();
  if (!to_) failed_ |= std::fclose(to) != 0;
}

void Outputs::flush() {
  if (to_) failed_ |= std::fflush(to_) != 0;
}

bool Outputs::close() {
  if (to_) failed_ |= (to_ == stdout ? std::fflush(to_) : std::fclose(to_)) != 0;
  to_ = nullptr;
  return !failed_;
}

Lines::Lines(const Wish& wish, const read::Trace& trace, Outputs& outputs, bool beside)
    : wish_(wish), trace_(trace), outputs_(outputs), filter_(wish.filter) {
  // What bpf() tells is by file, and JSON leaves nothing out.
  const bool asked = wish.text.paths || wish.text.tasks || wish.text.verbose || wish.form == "json";
  const bool by_path = wire::asks_for(wish.only, wire::Field::path);
  follows_files_ = asked || by_path || !wish.filter.paths.empty();
  files_.wants_details = wish.form == "json" || wish.text.paths & ~TextOptions::path;
  if (!wish.apart) notation(0);
  if (!wish.text.follow) first_ = wish.pid;
  if (!beside || wish.apart) return;
  may_decode_later_ =
      !follows_files_ && !has_stacks() && !filter_.late() && filter_.unfinished && !wish.only.count;
  beside_.emplace([this](std::vector<Telling>& batch) {
    for (Telling& one : batch) {
      write(one);
      write_full(0, *one.to);
    }
  });
}

// In the other thread.
void Lines::write(Telling& one) const {
  if (one.other) return one.other(*one.to);
  if (!one.call) return one.to->leave(one.left);
  const Event e = read::decode(*one.call, nullptr, nullptr, depth(one.call->nr));
  one.is_left ? one.to->leave(e) : one.to->enter(e);
}

void Lines::tell_left(Event&& event) {
  Notation& to = notation(event.tid);
  if (!beside_) return to.leave(event);
  event.socket.reset();  // files_ goes on changing while it is written, and no notation asks
  beside_->put(0, &to, std::move(event));
}

// Decoding is most of the work: whichever thread has time for it does it. What was said over
// netlink sockets is decoded here, where they are known, and an execve, of which more is to be
// told.
bool Lines::try_tell_undecoded(const read::Call& call, bool left) {
  if (!may_decode_later_ || beside_->is_behind()) return false;
  if (read::is_exec(call.nr) || sockets_.carried(call) >= 0) return false;
  if (!filter_.trace.test(std::min(call.nr, arch::number_limit))) return false;
  size_t bytes = 0;
  for (const read::Piece& piece : call.memory) bytes += piece.bytes.size();
  beside_->put(bytes, &notation(call.tid), std::make_unique<read::Call>(call), left);
  return true;
}

// Not line by line.
void Lines::write_full(uint32_t tid, Notation& from, bool all) {
  if (from.out().empty() || (!all && from.out().size() <= 1 << 16)) return;
  if (wish_.lines)
    outputs_.write(tid, from.out());
  else
    from.out().clear();
}

Notation& Lines::notation(uint32_t tid) {
  std::unique_ptr<Notation>& found = notations_[wish_.apart ? tid : 0];
  if (found) return *found;
  TextOptions text = wish_.text;
  if (wish_.apart) text.follow = false;  // whose lines they are, the file's name says
  if (wish_.form == "json")
    found = std::make_unique<JsonLines>();
  else if (wish_.form == "ftrace")
    found = std::make_unique<FtraceLines>(wish_.types);
  else
    found = std::make_unique<TextPrinter>(text);
  found->wall_offset = static_cast<uint64_t>(trace_.clock().realtime_offset());
  return *found;
}

void Lines::add(const read::Item& item) {
  last_ = item.when;
  const bool all = wish_.text.follow || wish_.form != "strace";
  if (!all && !first_) first_ = item.tid;
  if (wish_.text.tasks && item.kind != read::Item::Kind::thread) call_by_name(item.tid);
  if (all && !wish_.apart && threads_.insert(item.tid).second)
    tell(item.tid, [many = threads_.size() > 1](Notation& to) { to.several(many); });
  happen(item, !first_ || item.tid == first_);
  flush(false);
}

void Lines::call_by_name(uint32_t tid) {
  std::string name = files_.task(tid);
  if (name.empty() || std::exchange(called_[tid], name) == name) return;
  tell(tid, [tid, name = std::move(name)](Notation& to) { to.named(tid, name); });
}

void Lines::happen(const read::Item& item, bool mine) {
  using Kind = read::Item::Kind;
  switch (item.kind) {
    case Kind::enter:
      if (files()) with_made(*item.call, [&](const read::Call& made) { files_.enter(made); });
      // Where a call has one line, one that returns at once is told at its end alone; but not
      // within another, for there it is news that the other stands open.
      if (item.returns_next && wish_.form != "ftrace" && !standing_.contains(item.tid)) break;
      standing_.insert(item.tid);
      endings_.enter(*item.call);
      if (mine) enter(item);
      exits(item);
      break;
    case Kind::leave:
      standing_.erase(item.tid);
      if (files() && !was_answered(*item.call))
        with_made(*item.call, [&](const read::Call& made) { files_.learn(made); });
      for (const read::Ending& one : endings_.leave(*item.call)) killed(one, item.when);
      if (mine) leave(item);
      if (files() && !was_answered(*item.call))
        with_made(*item.call, [&](const read::Call& made) { files_.forget(made); });
      break;
    case Kind::signal:
      if (mine) signal(item);
      break;
    case Kind::lost:
      if (mine)
        tell(item.tid, [where = Where{item.pid, item.tid, item.when},
                        calls = item.lost](Notation& to) { to.lost(where, calls); });
      break;
    case Kind::ending: exits(item); break;
    case Kind::gone:
      endings_.gone(item.pid);
      if (mine || item.pid == first_) gone(item);
      break;
    case Kind::thread:
      if (files()) begin(*item.thread);
      alive_.begin(*item.thread);
      if (mine)
        tell(item.tid, [where = Where{item.pid, item.tid, item.when},
                        parent = item.thread->parent](Notation& to) { to.thread(where, parent); });
      if (mine && item.thread->began == wire::Began::image) program(item);
      break;
  }
}

void Lines::end(const read::Losses& losses) {
  for (const read::Ending& one : endings_.at_end()) killed(one, 0);
  if (beside_) beside_->end();
  beside_.reset();
  for (auto& [tid, one] : notations_) one->end(losses);
  flush(true);
  if (!wish_.count) return;
  std::string table =
      counts_of(counts_.by_number(), column_named(wish_.order), columns_named(wish_.columns));
  outputs_.write(0, table);
}

void Lines::flush(bool all) {
  if (beside_) return;
  for (auto& [tid, one] : notations_) write_full(tid, *one, all);
}

void Lines::begin(const read::Thread& thread) {
  const read::Image* image = nullptr;  // the newest of its process
  if (wish_.text.tasks)
    for (const read::Image& one : trace_.images())
      if (one.pid == thread.pid && (!image || trace_.clock().ns(one.first.tsc) <= last_))
        image = &one;
  files_.begin(thread, !image ? "" : image->executed.empty() ? image->program : image->executed);
  if (settled_ || files_.directory(thread.pid).empty()) return;
  settled_ = true;  // names for -P are relative to where the first program began
  for (const std::string& path : wish_.filter.paths)
    filter_.paths.push_back(files_.resolved(thread.pid, wire::file_directory, path));
}

// Nobody saw the execve that the trace begins behind, but that it was made is certain.
void Lines::program(const read::Item& item) {
  const auto& images = trace_.images();
  const auto image = std::find_if(images.begin(), images.end(),
                                  [&](const read::Image& one) { return one.pid == item.pid; });
  if (image == images.end() || !programs_.insert(item.pid).second) return;
  tell(item.tid, [where = Where{item.pid, item.tid, item.when},
                  path = image->program](Notation& to) { to.program(where, path); });
  Event e;
  e.pid = item.pid, e.tid = item.tid, e.nr = arch::nr_execve;
  e.began = e.finished = item.when;
  e.timed = false;
  e.name = "execve";
  e.ended = true;
  e.value = value_number(0);
  e.paths = {image->program};
  const std::string& executed = image->executed.empty() ? image->program : image->executed;
  e.args = {value_text(executed), value_of(Value::Kind::list), value_of(Value::Kind::word)};
  e.args[0].path = true;
  for (const std::string& one : image->arguments) e.args[1].items.push_back(value_text(one));
  e.args[1].whole = e.args[1].items.size();
  e.args[1].bounded = true;
  e.args[2].text = "...";  // its environment is not in the trace
  e.args[2].bare = true;
  if (image->environment) {  // where it lies in the new program: the old one's, nobody saw
    e.args[2] = value_of(Value::Kind::list);
    e.args[2].number = image->environment;
    e.args[2].whole = image->variables;
    e.args[2].unknown = "vars";
  }
  if (!filter_.wants(e)) return;
  if (wish_.form != "ftrace") tell_left(std::move(e));  // that has no words for what is unseen
  read::Call call;
  call.nr = arch::nr_execve;
  if (wish_.count) counts_.came_back(call);
}

void Lines::killed(const read::Ending& one, uint64_t when) {
  if (first_ && one.pid != first_) return;
  const Departure how{Departure::How::killed, one.signal, one.core};
  if (!when) when = last_;
  end_others(one.pid, one.pid, when, how);
  alive_.end_process(one.pid, one.pid);
  unfinished(one.pid);
  tell(one.pid,
       [where = Where{one.pid, one.pid, when}, how](Notation& to) { to.gone(where, how); });
}

read::Depth Lines::depth(uint32_t nr) const {
  const bool brief = wish_.form == "strace" && !wish_.text.verbose &&
                     wish_.text.brief.test(std::min(nr, arch::number_limit));
  return brief ? read::Depth::brief : read::Depth::whole;
}

// `enter` may know the result already; the line must not.
void Lines::enter(const read::Item& item) {
  if (!filter_.paths.empty() && wish_.form == "strace") return;
  read::Call before = *item.call;
  before.ended = false;
  std::erase_if(before.memory, [](const read::Piece& p) { return p.out; });
  if (try_tell_undecoded(before, false)) return;
  Event e = read::decode(before, files(), &sockets_, depth(before.nr));
  if (has_stacks()) e.stack = symbols_.stack_of(before);
  const bool late = filter_.late() || wish_.only.count;
  if (late && passes(wish_.only, before, e.paths))
    held_[e.tid] = e;
  else if (!late && filter_.wants(e))
    tell(e.tid, [e = std::move(e)](Notation& to) { to.enter(e); });
  if (late && !e.returns) unfinished(e.tid);
}

// A held call will not come back.
void Lines::unfinished(uint32_t tid) {
  const auto held = held_.find(tid);
  if (held == held_.end()) return;
  if (filter_.wants(held->second))
    tell(tid, [e = std::move(held->second)](Notation& to) { to.enter(e); });
  held_.erase(held);
}

void Lines::leave(const read::Item& item) {
  const read::Call& call = *item.call;
  const bool told = try_tell_undecoded(call, true) || try_tell_decoded(item);
  sockets_.learn(call);
  if (!told) return;
  if (wish_.count) counts_.came_back(call, wish_.overhead);
  if (!wish_.read.none() || !wish_.write.none()) dump(call);
}

// False: it is not wanted.
bool Lines::try_tell_decoded(const read::Item& item) {
  Event e = read::decode(*item.call, files(), &sockets_, depth(item.call->nr));
  if (has_stacks()) e.stack = symbols_.stack_of(*item.call);
  held_.erase(e.tid);
  const bool exec = read::is_exec(e.nr) && !e.failed;
  if (exec) end_others(e.pid, e.tid, item.when, {Departure::How::exited, 0, false});
  if (exec && e.tid != e.pid) supersede(e);
  if (exec && !e.args.empty())
    tell(e.tid,
         [where = Where{e.pid, e.pid, item.when}, path = e.args[e.nr == arch::nr_execveat].text](
             Notation& to) { to.program(where, path); });
  if (!filter_.wants(e) || !passes(wish_.only, *item.call, e.paths)) return false;
  tell_left(std::move(e));
  return true;
}

// A thread's execve ends all others, and it goes on under the number of the first.
void Lines::supersede(const Event& exec) {
  unfinished(exec.pid);
  tell(exec.pid, [pid = exec.pid, when = exec.finished, tid = exec.tid](Notation& to) {
    to.gone({pid, pid, when}, {Departure::How::superseded, tid, false});
  });
}

void Lines::signal(const read::Item& item) {
  uint8_t info[128] = {};
  std::copy(std::begin(item.signal->siginfo), std::end(item.signal->siginfo), info);
  const uint32_t number = read::peek<uint32_t>(info);
  const std::string name = signal_name(number);
  if (!wish_.shows(name.starts_with("SIG") ? name.substr(3) : name)) return;
  Value value = read::siginfo_value(info, sizeof info);
  for (Value& field : value.items)
    if (wish_.text.tasks && field.name == "si_pid")
      field.text = files_.task(static_cast<int64_t>(field.number));
  Stack stack = has_stacks() ? symbols_.stack_of(*item.signal) : Stack();
  tell(item.tid,
       [where = Where{item.pid, item.tid, item.when}, number, value = std::move(value),
        stack = std::move(stack)](Notation& to) { to.signal(where, number, value, stack); });
}

void Lines::gone(const read::Item& item) {
  const bool says =
      item.call && (item.call->nr == arch::nr_exit_group || item.call->nr == arch::nr_exit);
  Departure how;
  if (says) how = {Departure::How::exited, static_cast<uint32_t>(item.call->args[0] & 0xff), false};
  Where where{item.pid, item.tid, item.when};
  if (wish_.form == "strace") {  // the others say whose exit_group it was
    end_others(item.pid, item.pid, item.when, how);
    where.tid = first_ ? first_ : alive_.end_process(item.pid, item.tid);
  }
  unfinished(where.tid);
  tell(where.tid, [where, how](Notation& to) { to.gone(where, how); });
}

void Lines::exits(const read::Item& item) {
  if (item.call->nr != arch::nr_exit || !alive_.ends_alone(item.pid, item.tid)) return;
  if (first_ && item.tid != first_) return;
  const Departure how{Departure::How::exited, static_cast<uint32_t>(item.call->args[0] & 0xff),
                      false};
  tell(item.tid,
       [where = Where{item.pid, item.tid, item.when}, how](Notation& to) { to.ended(where, how); });
}

void Lines::end_others(uint32_t pid, uint32_t but, uint64_t when, const Departure& how) {
  for (const uint32_t tid : alive_.end_others(pid, but)) {
    if (first_ && tid != first_) continue;
    unfinished(tid);
    tell(tid, [where = Where{pid, tid, when}, how](Notation& to) { to.ended(where, how); });
  }
}

}  // namespace sctrace::cli
