// Two runs side by side: calls, errors and times of each call, and files and peers that only one
// of them knew. What differs from run to run by itself (numbers of processes, inodes and ports) is
// taken out of names first.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "formats/counts.h"
#include "formats/groups.h"
#include "formats/noise.h"
#include "formats/read/trace.h"

namespace sctrace {

// One run.
struct Side {
  std::string name;  // of the trace
  std::vector<Count> calls;
  Count total;
  std::vector<Count> paths, peers;  // named as usual_name() does
  Run run;
  read::Losses losses;
};
Side side_of(const read::Trace& trace);

// /proc/123/fd → /proc/N/fd, pipe:[77] → pipe:[N], 10.0.0.1:45678 → 10.0.0.1:*
std::string usual_name(const std::string& name);

struct DiffRow {
  std::string name;
  Count a, b;
  Noise noise;
};

struct Diff {
  std::vector<DiffRow> rows;  // by how much the time in them changed, most first
  DiffRow total;
  using Names = std::vector<std::pair<std::string, uint64_t>>;  // and how many calls
  Names new_paths, gone_paths, new_peers, gone_peers;
};
Diff diff_of(const Side& a, const Side& b);

std::string diff_table(const Diff& diff, const Side& a, const Side& b, bool all);
std::string diff_json(const Diff& diff, const Side& a, const Side& b);

}  // namespace sctrace
