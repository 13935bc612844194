// Which functions the compiler put into the code at an address, by the debug information of its
// file. The only place that knows libdw; built without it, it knows of none.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sctrace::read {

class Inlined {
 public:
  // Of the first of these files that has debug information.
  explicit Inlined(const std::vector<std::string>& files);
  ~Inlined();
  Inlined(const Inlined&) = delete;
  Inlined& operator=(const Inlined&) = delete;
  // Innermost first, as linkers name them or, where they do not, as programmers; without the
  // function that they were all put into.
  std::vector<std::string> at(uint64_t address);

 private:
  struct Information;
  std::unique_ptr<Information> has_;
};

}  // namespace sctrace::read
