// What the report page is told of a trace: added up while it is read, so that the page is as quick
// with a million calls as with a hundred. Kept one by one are the longest calls of each thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/call_tree.h"
#include "formats/format.h"
#include "formats/report_sums.h"

namespace sctrace {

// Collects; end() has everything ready for json().
class ReportData final : public Sink {
 public:
  // `first`, `last`: of the run; `threads`: how many there will be, about.
  ReportData(const Session& session, uint64_t first, uint64_t last, size_t threads);
  void leave(const Event& event) override;
  void signal(const Arrival& arrival) override;
  void birth(const Birth& birth) override;
  void name(const Naming& naming) override;
  void death(const Death& death) override;
  void lost(const Loss& loss) override;
  void end(const Losses& losses) override;

  std::string json() const;  // members of an object, without its braces

 private:
  struct Kept {
    uint64_t began = 0, ns = 0;
    uint32_t call = 0;
    bool ended = true, failed = false, waited = false;
    std::string text;
  };
  struct Thread {
    uint32_t pid = 0, tid = 0;
    std::string name, program, how;
    uint64_t from = 0, to = 0;
    uint64_t calls = 0;
    BusyBins bins;
    std::vector<Kept> kept;  // a heap, the shortest on top
  };
  struct Mark {
    size_t thread = 0;
    uint64_t when = 0;
    std::string text;
  };
  Thread& thread_of(uint32_t pid, uint32_t tid);
  void mark(uint32_t pid, uint32_t tid, uint64_t when, std::string text);
  uint32_t call_number(const Event& event);
  void keep(Thread& thread, const Event& event, uint32_t call);
  std::string thread_json(const Thread& thread) const;
  std::string tree_json() const;
  std::string marks_json() const;

  const Session& session_;
  uint64_t first_, last_;
  size_t bins_, kept_each_;
  std::vector<Thread> threads_;
  std::unordered_map<uint32_t, size_t> by_tid_;
  std::vector<std::string> names_;  // of calls
  std::vector<unsigned> kinds_;     // of each: CallKind
  std::unordered_map<std::string, uint32_t> numbers_;
  HeatMap heat_;
  CallTree tree_;
  std::vector<Mark> marks_;
  uint64_t unmarked_ = 0;
};

// What a call is mostly about, for colours: the page has the same list.
enum class CallKind : uint8_t { waiting, file, network, memory, process, other };
CallKind kind_of(uint32_t nr);
// Whether it stood still, as far as one can tell: nobody recorded when a thread left its processor.
// It is there to wait, or took long on what others fill and empty.
bool waited(const Event& event);

}  // namespace sctrace
