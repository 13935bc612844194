#include "formats/read/check.h"

#include <fmt/format.h>

#include <fstream>
#include <set>
#include <span>
#include <utility>

#include "arch/table.h"
#include "formats/read/call_scan.h"
#include "formats/read/counters.h"
#include "formats/read/each_ring.h"

namespace sctrace::read {

namespace {

// What the calls of an image say of its end, ring by ring.
struct Ends {
  std::set<uint32_t> proper;  // processes that ended or became another program by themselves
  std::vector<std::pair<uint32_t, uint64_t>>
      open;  // rings whose owner still had them: its pid, calls unfinished
};

std::string number_of(uint64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// One ring, read by itself.
struct Ring {
  uint32_t pid = 0;  // who had it last
  uint64_t calls = 0, missing = 0, unfinished = 0;
  std::vector<uint32_t> proper;

  void entered(uint32_t nr, uint32_t by, uint64_t began, uint64_t when) {
    ++calls;
    const bool ends = nr == arch::nr_exit_group || nr == arch::nr_exit || is_exec(nr);
    if (ends) ending(nr, by, began, when);
  }
  void ending(uint32_t, uint32_t by, uint64_t, uint64_t) {
    if (proper.empty() || proper.back() != by) proper.push_back(by);
  }
  void left(uint32_t, uint32_t, int64_t, uint64_t, uint64_t) {}
  void began(const wire::Thread&, uint64_t) {}
  void happened(uint32_t to, uint64_t) { pid = to; }
};

void check_ring(const std::shared_ptr<OpenImage>& image, uint32_t slot, Ring& ring) {
  static const Clock any_clock;  // times do not matter here
  ring.pid = image->image.slots[slot].pid;
  CallScan<Ring> calls(image, slot, any_clock, ring);
  calls.run();
  ring.missing = calls.losses.missing, ring.unfinished = calls.unfinished();
}

// Somebody turned recording off: who ended after that looks as if it had been killed.
bool was_turned_off(const std::string& directory) {
  uint32_t off = 0;
  const File session(directory + "/" + wire::session_name);
  session.read(offsetof(wire::Session, off), &off, sizeof off);
  return off != 0;
}

void note_end(const Image& image, const Ends& ends, bool off, Checked& all) {
  if (is_being_written(image)) {
    all.is_being_written = true;
    all.notes.push_back({image.ring_file, 0, "still being written"});
    return;
  }
  bool killed = false;
  uint64_t unfinished = 0;
  for (const auto& [pid, calls] : ends.open)
    if (!ends.proper.count(pid)) killed = true, unfinished += calls;
  if (killed)
    all.notes.push_back({image.ring_file, 0,
                         (off ? "ended while it was off, or killed while recording: "
                              : "killed while recording: ") +
                             number_of(unfinished, "call") + " unfinished"});
}

void add_damages(const Damages& from, Damages& to) {
  for (const Damage& one : from.kept) to.add(one.file, one.offset, one.why);
  to.count += from.count - from.kept.size();
}

// What the rings of an image were found to hold, in their order. What could not be read ends it.
void add_image(const Image& image, std::span<const RingTask> tasks, std::span<Ring> rings,
               Ends ends, bool off, Damages& damages, Checked& all) try {
  if (tasks.empty()) const OpenImage open(image, damages);
  for (size_t n = 0; n < tasks.size(); ++n) {
    const Slot& slot = image.slots[tasks[n].slot];
    add_damages(tasks[n].damages, damages);
    all.calls += rings[n].calls;
    if (tasks[n].failed) std::rethrow_exception(tasks[n].failed);
    ends.proper.insert(rings[n].proper.begin(), rings[n].proper.end());
    if (rings[n].missing && image.mode == wire::Mode::stream)
      damages.add(image.ring_file, image.slot_offset(tasks[n].slot),
                  number_of(rings[n].missing, "block") + " of this ring missing");
    if (slot.state == wire::RingState::live)
      ends.open.emplace_back(rings[n].pid, rings[n].unfinished);
  }
  if (image.mode == wire::Mode::counts)  // which do not say how a program ended
    each_counted(image, [&](const Counted& counted) { all.calls += counted.calls; });
  else
    note_end(image, ends, off, all);
} catch (const BadTrace& bad) {
  damages.add(bad.file, bad.offset, bad.why);
}

// Those that are in it, and go on in a later one: they executed another program, whether or not the
// call was asked for.
Ends successors(const Trace& trace, const Image& image) {
  Ends ends;
  for (const Image& other : trace.images())
    if (other.first.tsc > image.first.tsc) ends.proper.insert(other.pid);
  return ends;
}

// All rings first, on all processors; then what they say, image by image.
void check_images(const Trace& trace, bool off, const std::function<void(double)>& progress,
                  Damages& damages, Checked& all) {
  size_t count = 0;
  for (const Image& image : trace.images()) count += image.slots.size();
  std::vector<Ring> rings(count);
  const std::vector<RingTask> tasks = each_ring(
      trace,
      [&rings](unsigned, size_t number, const RingTask& task,
               const std::shared_ptr<OpenImage>& image) {
        check_ring(image, task.slot, rings[number]);
      },
      progress);
  size_t first = 0;
  for (const Image& image : trace.images()) {
    ++all.images;
    const size_t slots = image.slots.size();
    add_image(image, std::span(tasks).subspan(first, slots), std::span(rings).subspan(first, slots),
              successors(trace, image), off, damages, all);
    first += slots;
  }
}

}  // namespace

bool is_being_written(const Image& image) {
  if (!image.is_live()) return false;
  const std::string name = image.ring_file.substr(image.ring_file.rfind('/'));
  std::set<uint32_t> pids{image.pid};
  for (const Slot& slot : image.slots) pids.insert(slot.pid);
  for (const uint32_t pid : pids) {
    std::ifstream maps(fmt::format("/proc/{}/maps", pid));
    for (std::string line; std::getline(maps, line);)
      if (line.size() > name.size() && line.ends_with(name)) return true;
  }
  return false;
}

Checked check(const std::string& directory, const std::function<void(double)>& progress) {
  std::vector<BadTrace> refused;
  const Trace trace(directory, &refused);
  Checked all;
  Damages damages = trace.damages();
  const bool off = was_turned_off(directory);
  for (const BadTrace& bad : refused) damages.add(bad.file, bad.offset, bad.why);
  for (const std::string& file : trace.unborn())
    all.notes.push_back({file, 0, "empty: its program ended before the first call"});
  check_images(trace, off, progress, damages, all);
  all.problems = std::move(damages.kept);
  all.problem_count = damages.count;
  return all;
}

}  // namespace sctrace::read
