// perf.data, as `perf script`, `report`, `trace -i` and whatever builds on them read it: each call
// as the kernel's raw_syscalls tracepoints, each thread's life as perf records it. A processor is
// one for each thread alive (slots.h); the period of a sys_exit is what its call took in ns, so
// that `perf report` weighs by time.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "formats/bytes.h"
#include "formats/format.h"
#include "formats/perf_header.h"
#include "formats/phrase.h"
#include "formats/slots.h"
#include "formats/tracepoints.h"

namespace sctrace {

namespace {

using namespace perf_header;

enum Record : uint32_t {  // include/uapi/linux/perf_event.h, tools/lib/perf: PERF_RECORD_*
  mmap2 = 10,
  lost_samples = 2,
  comm = 3,
  exit_task = 4,
  fork_task = 7,
  sample = 9,
  finished_round = 68,
};
constexpr uint16_t in_user = 2, comm_exec = 1 << 13;
constexpr uint64_t context_user = ~uint64_t{511};  // PERF_CONTEXT_USER
constexpr size_t frames_most = 127;                // that perf accepts in a chain

class Perf final : public Sink {
 public:
  Perf(Output& to, const Session& session) : to_(to), header_(to, session) {}

  void enter(const Event& e) override {
    begin_sample(sys_enter_id, e, e.began, 1);
    raw_.clear();
    tracepoints::put_enter(raw_, e);
    finish_sample(e.began);
  }

  void leave(const Event& e) override {
    if (!e.ended) return;  // it never came back: nor did the kernel trace an exit
    begin_sample(sys_exit_id, e, e.finished, e.finished - e.began);
    raw_.clear();
    tracepoints::put_exit(raw_, e);
    finish_sample(e.finished);
  }

  void signal(const Arrival& a) override {
    Event at;
    at.pid = a.pid, at.tid = a.tid, at.site = a.address, at.stack = a.stack;
    begin_sample(signal_id, at, a.when, 1);
    raw_.clear();
    tracepoints::put_signal(raw_, a);
    finish_sample(a.when);
  }

  void birth(const Birth& b) override {
    if (b.kind != Birth::Kind::program) {
      slots_.take(b.pid, b.tid, b.when);
      begin(fork_task, 0);
      const uint32_t parent = parent_of(b);
      put(line_, b.pid), put(line_, parent);
      put(line_, b.tid), put(line_, b.kind == Birth::Kind::thread ? b.pid : parent);
      put(line_, b.when);
      finish(b.pid, b.tid, b.when);
      processes_[b.tid] = b.pid;
    }
    if (!b.name.empty()) name(b.pid, b.tid, b.when, b.name, b.kind == Birth::Kind::program);
    const bool inherited = b.kind == Birth::Kind::process && programs_.contains(parent_of(b)) &&
                           programs_[parent_of(b)] == b.program;
    if (b.kind != Birth::Kind::thread) programs_[b.pid] = b.program;
    if (b.kind == Birth::Kind::thread || !b.program || inherited) return;
    for (const Object& object : objects_of(*b.program)) map(b, object);
  }

  void name(const Naming& n) override { name(n.pid, n.tid, n.when, n.name, false); }

  void death(const Death& d) override {
    if (!d.process) return gone(d.pid, d.tid, d.when);
    for (const auto& [tid, slot] : slots_.threads(d.pid))
      if (tid != d.pid) gone(d.pid, tid, d.when);
    gone(d.pid, d.pid, d.when);
    programs_.erase(d.pid);
  }

  void lost(const Loss& loss) override {
    tell_lost(std::max<uint64_t>(loss.calls, 1), loss.pid, loss.tid, loss.when);
  }

  void end(const Losses& losses) override {
    const uint64_t more = losses.untraced + losses.orphans;
    if (more) tell_lost(more, 0, 0, last_);
    header_.finish({first_, last_}, std::max(1u, slots_.count()));
  }

 private:
  uint32_t parent_of(const Birth& b) {
    const auto parent = processes_.find(b.parent);
    if (parent != processes_.end()) return parent->second;
    return b.program && b.program->pid == b.pid ? b.program->ppid : b.parent;
  }

  void begin(uint32_t type, uint16_t misc) {
    line_.clear();
    put(line_, type);
    put(line_, misc);
    put(line_, uint16_t{0});  // size, when it is known
  }

  void close() {
    const auto size = static_cast<uint16_t>(line_.size());
    line_.replace(6, sizeof size, bytes_of(size));
    to_.write(line_);
  }

  // Every record but a sample ends with whose it is: sample_id_all.
  void finish(uint32_t pid, uint32_t tid, uint64_t when) {
    put(line_, pid), put(line_, tid);
    put(line_, when);
    put(line_, slots_.of(pid, tid)), put(line_, uint32_t{0});
    put(line_, sys_enter_id);
    close();
    seen(when);
  }

  void begin_sample(uint64_t id, const Event& e, uint64_t when, uint64_t period) {
    begin(sample, in_user);
    put(line_, id);
    put(line_, e.site);
    put(line_, e.pid), put(line_, e.tid);
    put(line_, when);
    put(line_, slots_.of(e.pid, e.tid)), put(line_, uint32_t{0});
    put(line_, period);
    frames_.clear();
    for (const Frame& frame : e.stack)  // what is inlined perf finds by itself
      if (!frame.inlined && frames_.size() < frames_most) frames_.push_back(frame.address);
    put(line_, uint64_t{frames_.empty() ? 0 : frames_.size() + 1});
    if (!frames_.empty()) put(line_, context_user);
    for (const uint64_t address : frames_) put(line_, address);
  }

  void finish_sample(uint64_t when) {
    const size_t padding = (8 - (raw_.size() + 4) % 8) % 8;
    put(line_, static_cast<uint32_t>(raw_.size() + padding));
    line_ += raw_;
    line_.append(padding, '\0');
    close();
    seen(when);
    if (++samples_ % (1 << 15) != 0) return;
    begin(finished_round, 0);  // lets perf sort and forget what came two rounds ago
    close();
  }

  void seen(uint64_t when) {
    first_ = std::min(first_, when);
    last_ = std::max(last_, when);
  }

  void name(uint32_t pid, uint32_t tid, uint64_t when, const std::string& as, bool exec) {
    begin(comm, exec ? comm_exec : 0);
    put(line_, pid), put(line_, tid);
    put_text(line_, on_a_line(as), 8);
    finish(pid, tid, when);
  }

  void map(const Birth& b, const Object& object) {
    for (const read::Segment& code : header_.object(object.path).code) {
      begin(mmap2, in_user);
      put(line_, b.pid), put(line_, b.tid);
      put(line_, object.base + code.address), put(line_, code.bytes), put(line_, code.offset);
      put(line_, uint64_t{0}), put(line_, uint64_t{0}), put(line_, uint64_t{0});  // device, inode
      put(line_, uint32_t{5}), put(line_, uint32_t{2});  // read and execute; private
      put_text(line_, std::string_view(object.path).substr(0, 4000), 8);
      finish(b.pid, b.tid, b.when);
    }
  }

  void gone(uint32_t pid, uint32_t tid, uint64_t when) {
    begin(exit_task, 0);
    put(line_, pid), put(line_, uint32_t{0});
    put(line_, tid), put(line_, uint32_t{0});
    put(line_, when);
    finish(pid, tid, when);
    slots_.give(pid, tid, when);
    processes_.erase(tid);
  }

  void tell_lost(uint64_t calls, uint32_t pid, uint32_t tid, uint64_t when) {
    begin(lost_samples, 0);
    put(line_, sys_enter_id);
    put(line_, calls);
    finish(pid, tid, when);
  }

  Output& to_;
  Header header_;
  Slots slots_;
  std::map<uint32_t, uint32_t> processes_;       // tid → pid
  std::map<uint32_t, const Program*> programs_;  // by pid
  std::string line_, raw_;
  std::vector<uint64_t> frames_;
  uint64_t samples_ = 0, first_ = ~uint64_t{0}, last_ = 0;
};

}  // namespace

extern const Format perf;
const Format perf{.name = "perf",
                  .help = "perf.data, for perf script, report and trace -i, and hotspot",
                  .target = Target::file,
                  .enter = Detail::raw,
                  .leave = Detail::raw,
                  .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                    return std::make_unique<Perf>(to, session);
                  }};

}  // namespace sctrace
