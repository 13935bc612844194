// The doors of each mapped object: as a trace tells, or as they would be (predict.cc). One shape
// for both, so that `info` and `doctor` say it in the same words.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "formats/read/trace.h"
#include "rewriter/report.h"

namespace sctrace::cli {

struct ObjectDoors {
  std::string path;
  std::map<std::string, uint64_t> sites;     // by tactic; trap: left to the trap
  std::map<std::string, uint64_t> refusals;  // why

  void add(rewriter::Tactic tactic, rewriter::Refusal refusal);
};

// Over all images of a trace, one entry a path; objects without a site are left out. What lies in
// none of the listed objects is under "(elsewhere)".
std::vector<ObjectDoors> object_doors(const read::Trace& trace);

// What the library would do to a dynamic program and the libraries that its loader names, without
// running it. Empty when the loader is not the usual one or says nothing.
std::vector<ObjectDoors> predicted_doors(const std::string& program);

// One line an object: "path: 526 sites: after 3, before 51, …; refused: …".
std::string text_of(const ObjectDoors& object);
std::string json_of(const std::vector<ObjectDoors>& objects);

// "{name: count, …}" and "name count, …" of those that are not zero.
std::string json_of(const std::map<std::string, uint64_t>& counts);
std::string text_of(const std::map<std::string, uint64_t>& counts);

}  // namespace sctrace::cli
