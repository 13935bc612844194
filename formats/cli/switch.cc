#include "formats/cli/switch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "formats/cli/json.h"
#include "formats/cli/proof.h"

namespace sctrace::cli {

namespace {

constexpr unsigned patience_ms = 5000;

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == text.npos;
}

uint32_t parent_of(uint32_t pid) {
  std::string stat;
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::getline(in, stat);
  unsigned parent = 0;
  const size_t at = stat.rfind(')');
  if (at != stat.npos) std::sscanf(stat.c_str() + at + 1, " %*c %u", &parent);
  return parent;
}

bool descends(uint32_t pid, const std::set<uint32_t>& from) {
  for (int most = 64; pid > 1 && most--; pid = parent_of(pid))
    if (from.count(pid)) return true;
  return false;
}

// Why a process that was named is not among those that carry the library.
std::string why_not(const std::string& given) {
  std::ifstream maps("/proc/" + given + "/maps");
  std::error_code error;
  if (is_number(given) && std::ifstream("/proc/" + given + "/comm") && maps.peek() == EOF)
    return "may not be looked at by you: another user's";
  return "neither a trace nor a process that carries libsctrace.so";
}

// Held as long as this lives: one command at a time works on a process.
class Turn {
 public:
  explicit Turn(const std::string& ring_file)
      : fd_(::open(ring_file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ >= 0) ::flock(fd_, LOCK_EX);
  }
  ~Turn() {
    if (fd_ >= 0) ::close(fd_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  int fd_;
};

Reached reach(const Carrier& process) {
  const std::string name = fmt::format("{} ({})", process.pid, process.name);
  if (process.ring_file.empty())
    throw CantReach(name, "carries libsctrace.so but has no trace: disabled or refused");
  return Reached(process.pid, process.ring_file, name);
}

[[noreturn]] void refuse(const Reached& process, wire::Outcome outcome) {
  const auto why = [&] {
    switch (outcome) {
      case wire::Outcome::no_memory: return "has no memory for it";
      case wire::Outcome::busy: return "is loading a library, and does not end; try again";
      case wire::Outcome::no_text: return "its text can't be replaced: needs Linux 5.13";
      case wire::Outcome::no_stubs: return "runs with SCTRACE_DOORS=trap: no thread would come by";
      default: return "can't take that setting";
    }
  }();
  throw CantReach(process.name(), why);
}

}  // namespace

std::vector<Carrier> subjects(const std::string& given, bool tree) {
  std::error_code error;
  const bool trace = std::filesystem::is_directory(given, error);
  if (!trace && !tree && is_number(given)) {  // without a look at all the others
    if (const auto one = carrier(static_cast<uint32_t>(std::stoul(given)))) return {*one};
    throw CantReach(given, why_not(given));
  }
  const std::vector<Carrier> all = carriers();
  std::vector<Carrier> meant = trace ? carriers_of(given) : all;
  if (!trace)
    std::erase_if(meant, [&](const Carrier& one) {
      return is_number(given) ? one.pid != std::stoul(given) : one.name != given;
    });
  if (meant.empty()) throw CantReach(given, why_not(given));
  if (!trace && !tree && meant.size() > 1)
    throw CantReach(given, "several processes have that name; name a pid");
  if (!tree) return meant;
  std::set<uint32_t> roots;
  for (const Carrier& one : meant) roots.insert(one.pid);
  meant.clear();
  for (const Carrier& one : all)
    if (descends(one.pid, roots)) meant.push_back(one);
  std::reverse(meant.begin(), meant.end());
  return meant;
}

Switched carry_out(const Carrier& process, const wire::Wish& wish, bool prove_it) {
  const auto before = std::chrono::steady_clock::now();
  const Turn turn(process.ring_file);
  Reached reached = reach(process);
  Switched result;
  result.outcome = reached.carry_out(wish);
  if (result.outcome != wire::Outcome::done && result.outcome != wire::Outcome::doors_stay)
    refuse(reached, result.outcome);
  if (wish.deed == wire::Deed::on && result.outcome == wire::Outcome::done) hasten(reached, wish);
  if (prove_it) result.unproven = prove(reached, wish, patience_ms);
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - before;
  result.ms = spent.count();
  result.threads = static_cast<uint32_t>(tids_of(process.pid).size());
  return result;
}

Status status_of(const Carrier& process) {
  const Reached reached = reach(process);
  const wire::Live& live = reached.live();
  Status status;
  status.recording = live.recording.load();
  status.open = live.open.load();
  status.pending = reached.is_pending();
  status.sites_open = live.sites_open, status.sites_shut = live.sites_shut;
  status.texts_left = live.objects_left;
  status.traps = live.traps;
  status.calls_cut = live.calls_cut;
  std::set<uint32_t> tids;
  for (const uint32_t tid : tids_of(process.pid)) tids.insert(tid);
  status.threads = static_cast<uint32_t>(tids.size());
  for (const Reached::Thread& thread : reached.threads()) {
    if (!tids.erase(thread.tid)) continue;
    status.here += thread.bond == wire::Bond::here;
    status.known += thread.bond == wire::Bond::known;
    status.away += thread.bond == wire::Bond::away;
  }
  status.strange = static_cast<uint32_t>(tids.size());
  return status;
}

std::string shown(const Carrier& process, const Status& status) {
  std::string line = fmt::format("{} {}: {}{}; {} threads", process.pid, process.name,
                                 status.recording ? "on" : "off",
                                 status.pending ? " (changing)" : "", status.threads);
  if (status.open)
    line += fmt::format(": {} seen, {} from their next call on, {} not", status.here, status.known,
                        status.away + status.strange);
  else if (status.here)
    line += fmt::format(", {} of them in a call that was begun before", status.here);
  line += fmt::format("; {} sites have doors, {} {}", status.sites_open,
                      status.open ? status.sites_shut : 0,
                      status.traps ? "go by the trap" : "are not seen: the kernel has no trap");
  if (status.texts_left) line += fmt::format("; {} texts could not be replaced", status.texts_left);
  if (status.calls_cut) line += fmt::format("; {} calls without their end", status.calls_cut);
  return line;
}

std::string as_json(const Carrier& process, const Status& status) {
  return fmt::format(
      "{{\"pid\": {}, \"name\": {}, \"state\": \"{}\", \"doors\": \"{}\", \"pending\": {}, "
      "\"threads\": {}, \"threads_seen\": {}, \"threads_known\": {}, \"threads_unseen\": {}, "
      "\"sites_open\": {}, \"sites_shut\": {}, \"texts_left\": {}, \"calls_cut\": {}, "
      "\"trace\": {}}}",
      process.pid, json_quoted(process.name), status.recording ? "on" : "off",
      status.open ? "open" : "shut", status.pending, status.threads, status.here, status.known,
      status.away + status.strange, status.sites_open, status.sites_shut, status.texts_left,
      status.calls_cut, json_quoted(process.trace()));
}

}  // namespace sctrace::cli
