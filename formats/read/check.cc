#include "formats/read/check.h"

#include <fmt/format.h>

#include <fstream>
#include <set>
#include <utility>

#include "arch/table.h"
#include "formats/read/counters.h"
#include "formats/read/merge_calls.h"

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

void check_ring(const std::shared_ptr<OpenImage>& open, uint32_t number, Checked& all, Ends& ends) {
  const Image& image = open->image;
  const Slot& slot = image.slots[number];
  static const Clock any_clock;  // times do not matter here
  CallReader calls(open, number, any_clock, std::make_shared<Budget>());
  uint32_t pid = slot.pid;
  for (Event event; calls.next(event);) {
    pid = event.pid;
    if (event.kind != Item::Kind::enter) continue;
    ++all.calls;
    const uint32_t nr = event.call->nr;
    if (nr == arch::nr_exit_group || nr == arch::nr_exit || is_exec(nr))
      ends.proper.insert(event.pid);
  }
  if (calls.missing && image.mode == wire::Mode::stream)
    open->damages.add(image.ring_file, image.slot_offset(number),
                      number_of(calls.missing, "block") + " of this ring missing");
  if (slot.state == wire::RingState::live) ends.open.emplace_back(pid, calls.unfinished());
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

void check_image(const Image& image, bool off, Damages& damages, Checked& all) {
  const auto open = std::make_shared<OpenImage>(image, damages);
  Ends ends;
  for (uint32_t number = 0; number < image.slots.size(); ++number)
    check_ring(open, number, all, ends);
  if (image.mode == wire::Mode::counts)  // which do not say how a program ended
    each_counted(image, [&](const Counted& counted) { all.calls += counted.calls; });
  else
    note_end(image, ends, off, all);
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

Checked check(const std::string& directory) {
  std::vector<BadTrace> refused;
  const Trace trace(directory, &refused);
  Checked all;
  Damages damages = trace.damages();
  const bool off = was_turned_off(directory);
  for (const BadTrace& bad : refused) damages.add(bad.file, bad.offset, bad.why);
  for (const std::string& file : trace.unborn())
    all.notes.push_back({file, 0, "empty: its program ended before the first call"});
  for (const Image& image : trace.images()) {
    ++all.images;
    try {
      check_image(image, off, damages, all);
    } catch (const BadTrace& bad) {
      damages.add(bad.file, bad.offset, bad.why);
    }
  }
  all.problems = std::move(damages.kept);
  all.problem_count = damages.count;
  return all;
}

}  // namespace sctrace::read
