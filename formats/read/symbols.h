// Addresses of a recorded stack → who they belong to: the objects that the trace says were mapped,
// the symbols of their files (if they are still the same build), the maps that JIT compilers leave
// in /tmp/perf-PID.map. Remembers what it once named.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/event.h"
#include "formats/read/elf.h"
#include "formats/read/elf_symbols.h"
#include "formats/read/inlined.h"
#include "formats/read/timeline.h"

namespace sctrace::read {

class Symbols {
 public:
  // Empty if none was recorded.
  sctrace::Stack stack_of(const Call& call);
  sctrace::Stack stack_of(const Signal& signal);

 private:
  // A file, in the build that was mapped.
  struct File {
    ElfFacts facts;
    std::unique_ptr<ElfSymbols> functions;
    std::unique_ptr<Inlined> inlined;
  };
  struct Module {
    uint64_t base = 0, end = 0;
    std::string path;
    std::shared_ptr<File> file;
  };
  struct Modules {
    std::vector<Module> all;  // by base
    uint64_t missed = 0;      // addresses that nobody had, since they were read
    std::unordered_map<uint64_t, std::vector<Frame>> frames;
  };
  struct Jit {
    struct Code {
      uint64_t begin, end;
      std::string name;
    };
    std::vector<Code> all;
  };

  Modules& modules_of(const Image& image);
  void load(const Image& image, Modules& modules);
  std::shared_ptr<File> file_of(const std::string& path, const std::string& build_id);
  const Module* module_at(const Image& image, Modules& modules, uint64_t address);
  void add_frames(const Image& image, uint32_t pid, uint64_t address, std::vector<Frame>& to);
  std::vector<Frame> frames_in(const Module& module, uint64_t address, bool exact);
  std::vector<Frame> frames_at(const Image& image, uint32_t pid, uint64_t address);
  void name_by_jit(uint32_t pid, Frame& frame);

  std::map<std::string, std::shared_ptr<File>> files_;  // by path and build
  std::unordered_map<const Image*, Modules> modules_;
  std::unordered_map<uint32_t, Jit> jits_;
  struct Named {
    std::shared_ptr<const Stack> recorded;
    uint32_t pid = 0;
    sctrace::Stack stack;
  };
  std::unordered_map<const Stack*, Named> named_;
};

}  // namespace sctrace::read
