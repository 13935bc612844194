// The doors of each mapped object: as a trace tells, or as they would be (predict.cc). One shape
// for both, so that `info` and `doctor` say it in the same words.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "formats/read/trace.h"
#include "rewriter/report.h"

namespace sctrace::cli {

struct ObjectDoors {
  std::string path;
  std::map<std::string, uint64_t> sites;     // by tactic; trap: left to the trap
  std::map<std::string, uint64_t> refusals;  // why
  std::map<std::string, uint64_t> calls;     // recorded ones, by door; empty: not counted

  void add(rewriter::Tactic tactic, rewriter::Refusal refusal);
};

// Which object each listed site of an image lies in. Only listed ones can be told: other code may
// lie anywhere, a JIT's behind any object.
class SitePaths {
 public:
  explicit SitePaths(const wire::Image& image);
  std::string of(uint64_t site) const;  // "(elsewhere)" for those that are not listed

 private:
  std::map<uint64_t, std::string> objects_;  // by base
  std::set<uint64_t> sites_;
};

// Over all images of a trace, one entry a path; objects without a site are left out. What lies in
// none of the listed objects is under "(elsewhere)".
std::vector<ObjectDoors> object_doors(const read::Trace& trace);
// The calls of each, from all records of the trace; adds "(elsewhere)" for code that lists none.
void add_calls(const read::Trace& trace, std::vector<ObjectDoors>& doors);

// What the library would do to a dynamic program and the libraries that its loader names, without
// running it. Empty when the loader is not the usual one or says nothing.
std::vector<ObjectDoors> predicted_doors(const std::string& program);

// One line an object: "path: 526 sites: after 3, before 51, …; refused: …; calls: stub 7".
std::string text_of(const ObjectDoors& object);
std::string json_of(const std::vector<ObjectDoors>& objects);

// "{name: count, …}" and "name count, …" of those that are not zero.
std::string json_of(const std::map<std::string, uint64_t>& counts);
std::string text_of(const std::map<std::string, uint64_t>& counts);

}  // namespace sctrace::cli
