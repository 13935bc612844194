#include "formats/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "arch/table.h"
#include "formats/json.h"
#include "formats/phrase.h"
#include "formats/read/table.h"
#include "formats/row.h"

namespace sctrace {

namespace {

// How much the page is told: bins of all threads, calls one by one, marks.
constexpr size_t all_bins = 200'000, all_kept = 20'000, all_marks = 4'000;

bool is_longer(uint64_t a, uint64_t b) { return a > b; }

bool waits(uint32_t nr) {
  using namespace arch;
  static constexpr Number list[] = {
      nr_poll,        nr_ppoll,        nr_select,          nr_pselect6,        nr_epoll_wait,
      nr_epoll_pwait, nr_epoll_pwait2, nr_futex,           nr_nanosleep,       nr_clock_nanosleep,
      nr_wait4,       nr_waitid,       nr_pause,           nr_rt_sigtimedwait, nr_rt_sigsuspend,
      nr_accept,      nr_accept4,      nr_flock,           nr_msgrcv,          nr_semop,
      nr_semtimedop,  nr_io_getevents, nr_restart_syscall, nr_mq_timedreceive};
  static constexpr Number for_disks[] = {nr_fsync, nr_fdatasync, nr_sync, nr_syncfs, nr_msync};
  if (std::find(std::begin(for_disks), std::end(for_disks), nr) != std::end(for_disks)) return true;
  return std::find(std::begin(list), std::end(list), nr) != std::end(list);
}

}  // namespace

CallKind kind_of(uint32_t nr) {
  const uint32_t classes = read::lookup(nr).classes;
  if (waits(nr)) return CallKind::waiting;
  if (classes & arch::network) return CallKind::network;
  if (classes & arch::memory) return CallKind::memory;
  if (classes & (arch::file | arch::descriptor)) return CallKind::file;
  if (classes & (arch::process | arch::signal | arch::creds)) return CallKind::process;
  return CallKind::other;
}

bool waited(const Event& e) {
  constexpr uint64_t long_ns = 50'000;  // the page says so, too
  if (waits(e.nr)) return true;
  if (spent(e) < long_ns || !descriptor_of(e) || e.args.empty()) return false;
  const std::string& file = e.args[0].text;
  return e.socket || file.starts_with("pipe:") || file.starts_with("socket:") ||
         file.starts_with("/dev/pts/") || file.starts_with("/dev/tty");
}

ReportData::ReportData(const Session& session, uint64_t first, uint64_t last, size_t threads)
    : session_(session),
      first_(first),
      last_(std::max(first, last)),
      bins_(std::clamp<size_t>(all_bins / std::max<size_t>(threads, 1), 32, 2048)),
      kept_each_(std::clamp<size_t>(all_kept / std::max<size_t>(threads, 1), 8, all_kept)),
      heat_(first, last_) {}

ReportData::Thread& ReportData::thread_of(uint32_t pid, uint32_t tid) {
  const auto [at, is_new] = by_tid_.try_emplace(tid, threads_.size());
  if (is_new || threads_[at->second].pid != pid) {
    at->second = threads_.size();
    Thread& thread = threads_.emplace_back();
    thread.pid = pid, thread.tid = tid;
    thread.from = first_, thread.to = last_;
    thread.bins = BusyBins(first_, last_, bins_);
  }
  return threads_[at->second];
}

uint32_t ReportData::call_number(const Event& e) {
  const auto [at, is_new] = numbers_.try_emplace(e.name, static_cast<uint32_t>(names_.size()));
  if (is_new) {
    names_.push_back(e.name);
    kinds_.push_back(static_cast<unsigned>(kind_of(e.nr)));
  }
  return at->second;
}

// Text is only made for what is kept; what hangs, always is.
void ReportData::keep(Thread& thread, const Event& e, uint32_t call) {
  const auto longer = [](const Kept& a, const Kept& b) { return is_longer(a.ns, b.ns); };
  const bool leaves = !e.returns || e.nr == arch::nr_rt_sigreturn;  // it took no time
  const uint64_t ns = e.ended ? spent(e) : leaves ? 0 : ~uint64_t{0};
  std::vector<Kept>& kept = thread.kept;
  if (kept.size() >= kept_each_) {
    if (kept.front().ns >= ns) return;
    std::pop_heap(kept.begin(), kept.end(), longer);
    kept.pop_back();
  }
  kept.push_back(
      {e.began, ns, call, e.ended || leaves, e.error() != 0, waited(e), phrase(e, session_.words)});
  std::push_heap(kept.begin(), kept.end(), longer);
}

void ReportData::leave(const Event& e) {
  Thread& thread = thread_of(e.pid, e.tid);
  const uint32_t call = call_number(e);
  ++thread.calls;
  thread.bins.add(e.began, e.ended ? e.finished : e.began, waited(e));
  keep(thread, e, call);
  tree_.add(e);
  if (e.ended) heat_.add(call, e.finished, spent(e));
}

void ReportData::mark(uint32_t pid, uint32_t tid, uint64_t when, std::string text) {
  thread_of(pid, tid);
  if (marks_.size() < all_marks)
    marks_.push_back({by_tid_[tid], when, std::move(text)});
  else
    ++unmarked_;
}

void ReportData::signal(const Arrival& a) {
  mark(a.pid, a.tid, a.when, a.name + " " + shown(a.info, session_.words));
}

void ReportData::birth(const Birth& b) {
  tree_.birth(b);
  Thread& thread = thread_of(b.pid, b.tid);
  if (b.kind != Birth::Kind::program) thread.from = b.when;
  thread.name = b.name;
  if (b.program) {
    thread.program = b.program->path;
    if (b.kind == Birth::Kind::program) mark(b.pid, b.tid, b.when, "began " + b.program->path);
  }
}

void ReportData::name(const Naming& n) {
  tree_.name(n);
  thread_of(n.pid, n.tid).name = n.name;
}

void ReportData::death(const Death& d) {
  for (Thread& thread : threads_)
    if (d.process ? thread.pid == d.pid : thread.tid == d.tid)
      if (thread.how.empty() && thread.to == last_) {
        thread.to = d.when;
        thread.how = phrase(d);
        if (thread.how.empty()) thread.how = "ended";
      }
}

void ReportData::lost(const Loss& loss) {
  tree_.lost(loss);
  mark(loss.pid, loss.tid, loss.when, phrase(loss));
}

void ReportData::end(const Losses&) {
  for (Thread& thread : threads_)
    std::sort(thread.kept.begin(), thread.kept.end(),
              [](const Kept& a, const Kept& b) { return a.began < b.began; });
}

std::string ReportData::thread_json(const Thread& t) const {
  std::string program = t.program;
  if (program.empty())  // a thread that was born into a program which others told of
    for (const Thread& other : threads_)
      if (other.pid == t.pid && !other.program.empty()) program = other.program;
  std::string all = fmt::format(
      "{{\"pid\":{},\"tid\":{},\"name\":{},\"program\":{},\"how\":{},\"from\":{},\"to\":{},"
      "\"calls\":{},\"bins\":{},\"kept\":[",
      t.pid, t.tid, json_text(t.name), json_text(program), json_text(t.how), t.from - first_,
      std::max(t.to, t.from) - first_, t.calls, t.bins.json());
  const char* comma = "";
  for (const Kept& k : t.kept) {
    fmt::format_to(std::back_inserter(all), "{}[{},{},{},{},{}]", comma,
                   std::max(k.began, first_) - first_,
                   k.ended ? fmt::to_string(k.ns) : std::string("-1"), k.call,
                   (k.failed ? 1 : 0) | (k.waited ? 2 : 0), json_text(k.text));
    comma = ",";
  }
  return all + "]}";
}

std::string ReportData::tree_json() const {
  std::string names = "[", nodes = "[";
  for (const std::string& name : tree_.names())
    names += (names.size() > 1 ? "," : "") + json_text(name);
  for (const CallTree::Node& n : tree_.nodes())
    fmt::format_to(std::back_inserter(nodes), "{}{},{},{},{},{}", nodes.size() > 1 ? "," : "",
                   n.parent, n.name, n.self.calls, n.self.ns, n.self.bytes);
  return "{\"names\":" + names + "],\"nodes\":" + nodes + "]}";
}

std::string ReportData::marks_json() const {
  std::string all = "[";
  for (const Mark& m : marks_)
    all += fmt::format("{}[{},{},{}]", all.size() > 1 ? "," : "", m.thread,
                       std::max(m.when, first_) - first_, json_text(m.text));
  return all + "]";
}

std::string ReportData::json() const {
  std::string names, threads;
  for (size_t n = 0; n < names_.size(); ++n)
    names += fmt::format("{}[{},{}]", n ? "," : "", json_text(names_[n]), kinds_[n]);
  for (const Thread& thread : threads_)
    threads += (threads.empty() ? "" : ",\n") + thread_json(thread);
  const uint64_t width = threads_.empty() ? 1 : threads_.front().bins.width();
  return fmt::format(
      "\"names\":[{}],\n\"ns_bin\":{},\n\"threads\":[{}],\n\"marks\":{},\"unmarked\":{},\n"
      "\"heat\":{},\n\"tree\":{}",
      names, width, threads, marks_json(), unmarked_, heat_.json(names_), tree_json());
}

}  // namespace sctrace
