// What stands around the records of a perf.data file: its header, the two events and their
// descriptions before them, and behind them the features: host, processors, clock, build-ids.
#pragma once
#include <map>
#include <string>
#include <utility>

#include "formats/format.h"
#include "formats/read/elf.h"

namespace sctrace::perf_header {

// How samples say which event they are of.
inline constexpr uint64_t sys_enter_id = 101, sys_exit_id = 102, signal_id = 103;

class Header {
 public:
  Header(Output& to, const Session& session);  // writes up to where the records begin
  // The facts of a file that is mapped; it will be in the list of build-ids.
  const read::ElfFacts& object(const std::string& path);
  // The records are all written: `span` is the time of the first and the last.
  void finish(std::pair<uint64_t, uint64_t> span, uint32_t processors);

 private:
  std::string features(uint64_t at, std::pair<uint64_t, uint64_t> span, uint32_t processors);
  std::string build_ids() const;

  Output& to_;
  const Session& session_;
  uint64_t records_at_ = 0;
  std::map<std::string, read::ElfFacts> objects_;
};

}  // namespace sctrace::perf_header
