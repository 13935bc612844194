// How callers are called where a line, a row or a box has room for one name each.
#pragma once
#include <string>
#include <unordered_map>
#include <utility>

#include "formats/event.h"

namespace sctrace {

// The symbol; without one `libz.so.1+0x1234`; of code that no file has, the address.
std::string name_of(const Frame& frame);
// All of them, outermost first, `;` in between; empty if none is known.
std::string callers_of(const Stack& stack);

// What was once made of a stack. Most calls of a program are made from few places, so whoever turns
// stacks into something larger asks here first.
template <class Made>
class PerStack {
 public:
  template <class Make>
  Made& of(const Stack& stack, Make make) {
    const void* id = &stack.frames();  // kept below, so nobody else gets this address
    if (const auto known = made_.find(id); known != made_.end()) return known->second.second;
    constexpr size_t most = 1 << 14;
    if (made_.size() == most) made_.clear();
    return made_.try_emplace(id, stack, make()).first->second.second;
  }

 private:
  std::unordered_map<const void*, std::pair<Stack, Made>> made_;
};

}  // namespace sctrace
