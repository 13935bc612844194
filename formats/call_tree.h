// Calls added up by where they were made: process, thread, the callers where they were recorded,
// the call. What the formats of profilers are about. Memory grows with the different places, not
// with the calls.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/callers.h"
#include "formats/format.h"

namespace sctrace {

struct Weight {
  uint64_t calls = 0;  // that came back
  uint64_t ns = 0, bytes = 0;
};

// Bytes that a call moved, where its result is a number of bytes.
uint64_t bytes_of(const Event& event);
// Of a call that came back.
inline uint64_t spent(const Event& event) { return event.finished - event.began; }

class CallTree {
 public:
  enum class Kind : uint8_t { root, process, thread, frame, call, loss };
  struct Node {
    uint32_t parent = 0, name = 0;
    Kind kind = Kind::root;
    uint32_t pid = 0, tid = 0;
    Weight self = {};  // of a call; of a loss, how many calls are missing: 0, nobody knows
  };

  // `alike`: without numbers of processes, threads and addresses, so that two runs can be compared.
  explicit CallTree(bool alike = false);
  void birth(const Birth& birth);
  void name(const Naming& naming);
  void add(const Event& event);
  void lost(const Loss& loss);

  const std::vector<Node>& nodes() const { return nodes_; }  // parents before children; 0: root
  const std::string& name_of(uint32_t node) const { return names_[nodes_[node].name]; }
  const std::vector<std::string>& names() const { return names_; }  // each once
  std::vector<uint32_t> path(uint32_t node) const;  // from the process to the node itself
  Weight total() const { return total_; }

 private:
  struct Thread {
    uint32_t node = 0;
    std::string name;
  };
  uint32_t word(std::string_view text);
  uint32_t child(uint32_t parent, uint32_t name, Kind kind, uint32_t pid, uint32_t tid);
  uint32_t thread_node(uint32_t pid, uint32_t tid);
  uint32_t caller_node(uint32_t thread, const Event& event);

  bool alike_;
  std::vector<Node> nodes_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, uint32_t> words_;
  std::unordered_map<uint64_t, uint32_t> children_;           // parent << 32 | name
  std::unordered_map<uint32_t, std::string> programs_;        // by pid
  std::unordered_map<uint32_t, Thread> threads_;              // by tid
  PerStack<std::unordered_map<uint32_t, uint32_t>> callers_;  // node of a thread → of the caller
  Weight total_;
};

}  // namespace sctrace
