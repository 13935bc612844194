// trace.dat, version 6, for trace-cmd and KernelShark: the kernel's ring buffers page by page. A
// processor is one for each thread alive (slots.h); its pages are put together in a spool.
#include <algorithm>
#include <map>

#include "formats/bytes.h"
#include "formats/format.h"
#include "formats/phrase.h"
#include "formats/slots.h"
#include "formats/spool.h"
#include "formats/tracepoints.h"

namespace sctrace {

namespace {

constexpr size_t page_bytes = 4096, page_head = 16;
// Records of a page: type_len 1 to 28 is the length in words, 0 says that it follows, itself
// counted; 30 says how much time passes.
constexpr uint32_t words_most = 28, time_extend = 30, delta_bits = 27;
constexpr uint64_t missed_events = uint64_t{1} << 31, missed_stored = uint64_t{1} << 30;
enum Option : uint16_t { trace_clock = 4, uname = 5 };

class TraceDat final : public Sink {
 public:
  TraceDat(Output& to, const Session& session) : to_(to), session_(session), spool_(to) {}

  void enter(const Event& e) override {
    body_.clear();
    tracepoints::put_enter(body_, e);
    Cpu& cpu = cpu_of(e.pid, e.tid);
    add(cpu, e.began);
    if (e.stack.empty()) return;
    body_.clear();
    tracepoints::put_stack(body_, e);
    add(cpu, e.began);
  }

  void leave(const Event& e) override {
    if (!e.ended) return;
    body_.clear();
    tracepoints::put_exit(body_, e);
    add(cpu_of(e.pid, e.tid), e.finished);
  }

  void signal(const Arrival& a) override {
    body_.clear();
    tracepoints::put_signal(body_, a);
    add(cpu_of(a.pid, a.tid), a.when);
  }

  void birth(const Birth& b) override {
    if (b.kind != Birth::Kind::program) slots_.take(b.pid, b.tid, b.when);
    if (!b.name.empty()) names_[b.tid] = b.name;
  }

  void name(const Naming& n) override { names_[n.tid] = n.name; }

  void death(const Death& d) override {
    if (!d.process) return slots_.give(d.pid, d.tid, d.when);
    for (const auto& [tid, slot] : slots_.threads(d.pid)) slots_.give(d.pid, tid, d.when);
  }

  // A page says how many events are missing before it.
  void lost(const Loss& loss) override {
    Cpu& cpu = cpu_of(loss.pid, loss.tid);
    close(cpu);
    cpu.missed += 2 * loss.calls;
    cpu.is_missing = true;
  }

  void end(const Losses& losses) override {
    if (cpus_.empty()) cpus_.push_back({spool_.strand()});
    for (Cpu& cpu : cpus_) {
      if (cpu.is_missing && cpu.page.empty()) open(cpu, cpu.last);
      close(cpu);
    }
    static constexpr const tracepoints::Tracepoint* of_ftrace[] = {&tracepoints::user_stack};
    std::string head = tracepoints::header("6", of_ftrace);
    put(head, uint32_t{0});  // kallsyms
    put(head, uint32_t{0});  // formats of printk
    std::string names;
    for (const auto& [tid, name] : names_)
      names += std::to_string(tid) + ' ' + on_a_line(name) + '\n';
    put(head, uint64_t{names.size()});
    head += names;
    put(head, static_cast<uint32_t>(cpus_.size()));
    put_text(head, "options  ");
    std::string system = "Linux " + session_.host + ' ' + session_.kernel + " sctrace";
    for (const Missing& one : missing(losses))
      system += ' ' + std::string(one.name) + '=' + std::to_string(one.count);
    put_option(head, uname, system);
    put_option(head, trace_clock, "local global counter uptime perf [mono] mono_raw boot");
    put(head, uint16_t{0});
    put_text(head, "flyrecord");
    uint64_t at = (head.size() + 16 * cpus_.size() + page_bytes - 1) / page_bytes * page_bytes;
    const uint64_t data_at = at;
    for (const Cpu& cpu : cpus_) {
      put(head, at), put(head, spool_.size(cpu.strand));
      at += spool_.size(cpu.strand);
    }
    head.resize(data_at, '\0');
    to_.write(head);
    for (const Cpu& cpu : cpus_) spool_.copy(cpu.strand, to_);
  }

 private:
  struct Cpu {
    size_t strand = 0;
    uint64_t last = 0, missed = 0;
    bool is_missing = false;
    std::string page = {};
  };

  static void put_option(std::string& to, uint16_t id, std::string_view text) {
    put(to, id);
    put(to, static_cast<uint32_t>(text.size() + 1));
    put_text(to, text);
  }

  Cpu& cpu_of(uint32_t pid, uint32_t tid) {
    const uint32_t slot = slots_.of(pid, tid);
    while (cpus_.size() <= slot) cpus_.push_back({spool_.strand()});
    return cpus_[slot];
  }

  void open(Cpu& cpu, uint64_t when) {
    put(cpu.page, when);
    put(cpu.page, uint64_t{0});
    cpu.last = when;
  }

  void add(Cpu& cpu, uint64_t when) {
    when = std::max(when, cpu.last);
    const size_t most = body_.size() + 16;
    // What was missed is stored behind the last record: leave room for that.
    if (!cpu.page.empty() && cpu.page.size() + most + (cpu.is_missing ? 8 : 0) > page_bytes)
      close(cpu);
    if (cpu.page.empty()) open(cpu, when);
    uint64_t delta = when - cpu.last;
    if (delta >> delta_bits) {
      put(cpu.page, static_cast<uint32_t>(time_extend | (delta & ((1u << delta_bits) - 1)) << 5));
      put(cpu.page, static_cast<uint32_t>(delta >> delta_bits));
      delta = 0;
    }
    const size_t words = body_.size() / 4;
    put(cpu.page, static_cast<uint32_t>((words > words_most ? 0 : words) | delta << 5));
    if (words > words_most) put(cpu.page, static_cast<uint32_t>(body_.size() + 4));
    cpu.page += body_;
    cpu.last = when;
  }

  void close(Cpu& cpu) {
    if (cpu.page.empty()) return;
    uint64_t commit = cpu.page.size() - page_head;
    if (cpu.is_missing) {
      commit |= missed_events;
      if (cpu.missed) commit |= missed_stored, put(cpu.page, cpu.missed);
      cpu.is_missing = false;
      cpu.missed = 0;
    }
    cpu.page.replace(8, sizeof commit, bytes_of(commit));
    cpu.page.resize(page_bytes, '\0');
    spool_.append(cpu.strand, cpu.page);
    cpu.page.clear();
  }

  Output& to_;
  const Session& session_;
  Spool spool_;
  Slots slots_;
  std::vector<Cpu> cpus_;
  std::map<uint32_t, std::string> names_;  // by tid, the last it had
  std::string body_;
};

}  // namespace

extern const Format tracedat;
const Format tracedat{.name = "tracedat",
                      .help = "trace.dat, for trace-cmd report and KernelShark",
                      .target = Target::file,
                      .enter = Detail::raw,
                      .leave = Detail::raw,
                      .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                        return std::make_unique<TraceDat>(to, session);
                      }};

}  // namespace sctrace
