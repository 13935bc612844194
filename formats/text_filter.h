// Which calls are shown: strace's -e trace= grammar and the filters on status and path.
#pragma once
#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "arch/table.h"
#include "formats/event.h"

namespace sctrace {

using CallSet = std::bitset<arch::number_limit + 1>;  // the last stands for every number beyond

// "read,%file,/^get/,!close,?nosuch": throws std::invalid_argument with what is wrong with it.
CallSet call_set(std::string_view expression);

struct TextFilter {
  CallSet trace;
  bool successful = true, failed = true, unfinished = true;
  std::vector<std::string> paths;
  TextFilter() { trace.set(); }
  bool wants(const Event& event) const;  // all that can be said when the call is complete
  bool late() const {
    return !(successful && failed);
  }  // nothing may be shown before the call is complete
};

}  // namespace sctrace
