#include "formats/callers.h"

#include <fmt/format.h>

namespace sctrace {

std::string name_of(const Frame& frame) {
  if (!frame.symbol.empty()) return frame.symbol;
  if (frame.object.empty()) return fmt::format("{:#x}", frame.address);
  return fmt::format("{}+{:#x}", frame.object.substr(frame.object.rfind('/') + 1), frame.offset);
}

std::string callers_of(const Stack& stack) {
  std::string all;
  for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame) {
    if (!all.empty()) all += ';';
    all += name_of(*frame);
  }
  return all;
}

}  // namespace sctrace
