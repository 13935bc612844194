// What a viewer must know of an ELF file to find its code again: where it is mapped, and which
// build it is. Trusts nothing in the file.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace sctrace::read {

struct Segment {
  uint64_t address = 0, bytes = 0, offset = 0;  // address: to be added to the base
};

struct ElfFacts {
  std::vector<Segment> code;  // executable, page-aligned as they are mapped
  std::string build_id;       // raw bytes, usually 20; empty if it has none
};

// Nothing of a file that is not there or is none.
ElfFacts elf_facts(const std::string& path);

}  // namespace sctrace::read
