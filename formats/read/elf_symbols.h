// The functions of an ELF file by address, from its symbol table or, stripped, from what it shows
// to others and from the file of its debug information, where one is installed. Trusts nothing.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace sctrace::read {

// Where the debug information of a build would lie: as packages install it, as debuginfod keeps it.
// `build_id`: raw bytes, may be empty.
std::vector<std::string> debug_files(const std::string& build_id);

class ElfSymbols {
 public:
  struct Function {
    uint64_t begin = 0, end = 0;  // as in the file; end 0: up to the next one
    std::string_view name;
    int rank = 0;
  };

  ElfSymbols(const std::string& path, const std::string& build_id);
  ElfSymbols(const ElfSymbols&) = delete;
  ElfSymbols& operator=(const ElfSymbols&) = delete;
  const Function* at(uint64_t address) const;  // null: none is there

 private:
  void add(const std::string& path);
  std::deque<std::string> names_;  // string tables; functions point into them
  std::vector<Function> functions_;
};

}  // namespace sctrace::read
