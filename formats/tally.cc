#include "formats/tally.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "arch/table.h"
#include "formats/read/call_scan.h"
#include "formats/read/each_ring.h"
#include "formats/read/merge_calls.h"

namespace sctrace {

namespace {

// What is told of one ring but means something in the order of all: an exec comes back where the
// next image of its process begins.
struct Moment {
  enum class What : uint8_t { exec, back, program, exit } what;
  uint32_t nr = 0, pid = 0;
  uint64_t when = 0, began = 0;
  size_t ring = 0;
};
constexpr size_t most_moments = 1 << 19;  // of each worker: 24 MiB

// Listens to the rings of one worker, one after the other.
class Listener {
 public:
  void begin(size_t ring, uint64_t image_began) {
    ring_ = ring, image_began_ = image_began;
    heard_ = false;
  }
  void entered(uint32_t nr, uint32_t pid, uint64_t began, uint64_t when) {
    counts.entered(nr);
    if (nr == arch::nr_exit || nr == arch::nr_exit_group) [[unlikely]]
      ending(nr, pid, began, when);
    if (read::is_exec(nr)) [[unlikely]]
      note({Moment::What::exec, nr, pid, when, began, ring_});
  }
  void ending(uint32_t nr, uint32_t pid, uint64_t began, uint64_t when) {
    note({Moment::What::exit, nr, pid, when, began, ring_});
  }
  void left(uint32_t nr, uint32_t pid, int64_t result, uint64_t ns, uint64_t when) {
    counts.left(nr, result, ns);
    if (read::is_exec(nr)) [[unlikely]]
      note({Moment::What::back, nr, pid, when, 0, ring_});
  }
  void began(const wire::Thread& record, uint64_t when) {
    run.threads.insert(record.tid), run.processes.insert(record.pid);
    if (record.began == wire::Began::exec || record.began == wire::Began::image)
      note({Moment::What::program, 0, record.pid, when, 0, ring_});
  }
  void happened(uint32_t, uint64_t when) {
    if (!heard_) {
      heard_ = true;
      unsure |= when < image_began_;
      last_ = 0;
    }
    if (when == last_) return;
    last_ = when;  // within a ring it never runs backwards
    run.last = std::max(run.last, when);
    if (!run.first || when < run.first) run.first = when;
  }

  Counts counts;
  Run run;
  std::vector<Moment> moments;
  bool unsure = false;
  uint64_t held_most = 0;
  read::Losses losses;

 private:
  void note(const Moment& moment) {
    if (moments.size() < most_moments)
      moments.push_back(moment);
    else
      unsure = true;
  }
  size_t ring_ = 0;
  uint64_t image_began_ = 0, last_ = 0;
  bool heard_ = false;
};

void add(read::Losses& to, const read::Losses& from) {
  to.calls += from.calls;
  to.gaps += from.gaps;
  to.rolled_over += from.rolled_over;
  to.orphans += from.orphans;
  to.unfinished += from.unfinished;
}

// Counts the execs that came back as another program. False: only the timeline knows which did.
bool settle_execs(std::vector<Moment> moments, Counts& counts) {
  std::stable_sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) {
    return a.when != b.when ? a.when < b.when : a.ring < b.ring;
  });
  std::map<uint32_t, Moment> open;  // by pid
  std::set<uint32_t> leaving;       // pids whose exec may be forgotten with them
  for (const Moment& moment : moments) {
    const auto found = open.find(moment.pid);
    switch (moment.what) {
      case Moment::What::exec: open.insert_or_assign(moment.pid, moment); break;
      case Moment::What::back:
        if (found == open.end()) return false;
        open.erase(found);
        break;
      case Moment::What::exit: leaving.insert(moment.pid); break;
      case Moment::What::program: {
        const bool left = leaving.erase(moment.pid);
        if (found == open.end()) break;
        if (left) return false;
        counts.left(found->second.nr, 0, moment.when - std::min(found->second.began, moment.when));
        open.erase(found);
        break;
      }
    }
  }
  return true;
}

void scan(const read::Trace& trace, const read::RingTask& task, size_t number,
          const std::shared_ptr<read::OpenImage>& image, Listener& listener) {
  listener.begin(number, trace.clock().ns(image->image.first.tsc));
  read::CallScan<Listener> calls(image, task.slot, trace.clock(), listener);
  calls.run();
  constexpr read::Budget usual;
  listener.unsure |= calls.heaviest > usual.per_call;
  listener.held_most += calls.held_most;
  add(listener.losses, {.calls = calls.losses.lost,
                        .gaps = calls.losses.gaps,
                        .rolled_over = calls.losses.rolled_over,
                        .orphans = calls.orphans,
                        .unfinished = calls.unfinished()});
}

void add_claims(const read::Trace& trace, const std::vector<read::RingTask>& tasks,
                read::Losses& losses) {
  losses.damaged = trace.damages().count;
  for (const read::RingTask& task : tasks) losses.damaged += task.damages.count;
  for (const read::Image& image : trace.images())
    for (const read::Slot& slot : image.slots)
      losses.cut += slot.cut, losses.untraced += slot.untraced, losses.inexact += slot.inexact;
  losses.clock_uncertain = trace.clock().is_uncertain();
}

}  // namespace

std::optional<Tally> tally_of(const read::Trace& trace,
                              const std::function<void(double)>& progress) {
  std::vector<Listener> listeners(read::ring_workers(trace));
  const auto tasks = read::each_ring(
      trace,
      [&](unsigned worker, size_t number, const read::RingTask& task,
          const std::shared_ptr<read::OpenImage>& image) {
        scan(trace, task, number, image, listeners[worker]);
      },
      progress);
  for (const read::RingTask& task : tasks)
    if (task.failed) std::rethrow_exception(task.failed);
  Tally all;
  std::vector<Moment> moments;
  uint64_t held = 0;
  for (Listener& one : listeners) {
    if (one.unsure) return std::nullopt;
    held += one.held_most;
    all.counts.add(one.counts);
    all.run.add(one.run);
    add(all.losses, one.losses);
    moments.insert(moments.end(), one.moments.begin(), one.moments.end());
  }
  constexpr read::Budget usual;
  if (held > usual.all / 2 || !settle_execs(std::move(moments), all.counts)) return std::nullopt;
  add_claims(trace, tasks, all.losses);
  return all;
}

}  // namespace sctrace
