// Calls counted by what they were about: a descriptor, a file, a peer, a thread, an error. Rows are
// named as a person would call them; memory grows with the number of different names, not of calls.
#pragma once
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/counts.h"
#include "formats/read/files.h"
#include "formats/read/symbols.h"
#include "formats/read/timeline.h"
#include "formats/read/trace.h"

namespace sctrace {

enum class GroupKey : uint8_t { syscall, fd, path, peer, thread, process, error, stack, depth };

// What is counted where the key does not apply: calls without a file, calls that did not fail …
inline constexpr std::string_view no_group = "-";

class Groups {
 public:
  // Without `times` rows only know how many calls there were: a histogram takes some KiB.
  Groups(GroupKey key, const read::Trace& trace, bool times = true)
      : key_(key), trace_(trace), times_(times) {}
  void add(const read::Item& item);
  void add(const read::Counted& counted);  // nothing is known of it but call, thread and process
  // By time, longest first. A call that touches several files is in the row of each, so rows may
  // come to more than the total.
  std::vector<Count> rows() const;
  Count total() const;  // of all calls, each once
  void clear();         // forgets what was counted, not what is open

 private:
  void names_of(const read::Call& call, std::vector<std::string>& names);
  const std::string& process(uint32_t pid);
  void made(const read::Call& call);
  void came_back(const read::Call& call);
  std::vector<std::string> left(const read::Call& call);

  GroupKey key_;
  const read::Trace& trace_;
  bool times_;
  read::Files files_;
  read::Symbols symbols_;
  std::unordered_map<std::string, Count> rows_;
  // What a call was about is decided when it begins: its result may take the name away again.
  struct Open {
    const read::Call* call;  // which it is, never looked into
    std::vector<std::string> names;
  };
  std::unordered_map<uint32_t, std::vector<Open>> open_;  // by tid; handlers make calls within one
  std::unordered_map<uint32_t, std::string> processes_;   // their names
  Count total_;
};

// "PID program", as far as the trace tells.
std::string process_name(const read::Trace& trace, uint32_t pid);

// Files that a call names or reaches by descriptor, absolute where that is known; once each.
std::vector<std::string> paths_of(const read::Call& call, const read::Files& files);

// How long the run was, and who was in it. Costs nothing worth mentioning a call.
struct Run {
  uint64_t first = 0, last = 0;  // ns, CLOCK_MONOTONIC
  std::set<uint32_t> threads, processes;
  std::map<uint32_t, uint64_t> spent;  // ns of processor time, by process: of those that told it
  void add(const read::Image& image) {
    for (const read::Slot& slot : image.slots)
      if (slot.spent) spent[slot.pid] = std::max(spent[slot.pid], slot.spent);
  }
  uint64_t processor() const {
    uint64_t all = 0;
    for (const auto& [pid, ns] : spent) all += ns;
    return all;
  }
  void add(const read::Image& image, const read::Counted& counted, const read::Clock& clock) {
    threads.insert(counted.tid), processes.insert(counted.pid);
    const uint64_t from = clock.ns(image.first.tsc), until = clock.ns(image.last.tsc);
    if (!first || from < first) first = from;
    if (until > last) last = until;
  }
  void add(const read::Item& item) {
    if (!first) first = item.when;
    last = item.when;
    if (item.kind == read::Item::Kind::thread) threads.insert(item.tid), processes.insert(item.pid);
  }
  void add(const Run& other) {
    if (other.first && (!first || other.first < first)) first = other.first;
    last = std::max(last, other.last);
    threads.insert(other.threads.begin(), other.threads.end());
    processes.insert(other.processes.begin(), other.processes.end());
  }
  uint64_t wall() const { return last > first ? last - first : 0; }
};

}  // namespace sctrace
