// What `sctrace serve` answers about one trace, as far as that has come when it is asked. Answers
// to the same question are kept for a second, and as long as the trace does not change.
#pragma once
#include <chrono>
#include <map>
#include <string>

#include "formats/cli/http.h"
#include "formats/cli/watch.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

class ServedTrace {
 public:
  explicit ServedTrace(std::string trace);  // throws BadTrace
  const std::string& name() const { return name_; }
  // 404 for what is not there, 400 for a query that makes no sense. Throws BadTrace where the trace
  // can't be read any more.
  Answer answer(const Request& request);

 private:
  using Query = std::map<std::string, std::string>;
  struct Kept {
    std::string stamp;
    std::chrono::steady_clock::time_point when;
    Answer answer;
  };
  read::Trace now();
  Answer made(const std::string& path, const Query& query, const read::Trace& trace,
              const std::string& stamp);

  std::string name_;
  Watch watch_;
  std::map<std::string, Kept> kept_;
};

}  // namespace sctrace::cli
