// Writes the traces on which the command is tested into the directory given: whole, killed, torn,
// lossy.
#include <filesystem>
#include <iostream>

#include "arch/table.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using test::ScratchTrace;
using wire::Began;

namespace {

void keep(ScratchTrace& scratch, const std::string& as) {
  std::filesystem::copy(scratch.write(), as, std::filesystem::copy_options::recursive);
}

test::ScratchRing& begin(ScratchTrace& scratch) {
  auto& image = scratch.image(7);
  image.site(0x401000, 1);
  image.site(0x402000, 0, 3);
  return image.ring(7, Began::image)
      .entry(nr_read, {3, 0x5000, 8}, 0)
      .out(0x5000, "abcd")
      .exit(4)
      .call(nr_close, {9}, -9)
      .entry(nr_getpid, {}, 1, true)
      .exit(7);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: make_traces DIRECTORY\n", 2;
  const std::string to = std::string(argv[1]) + "/";
  ScratchTrace whole, killed, torn, lossy;
  begin(whole).entry(nr_exit_group, {3});
  keep(whole, to + "whole");
  begin(killed).entry(nr_read, {3, 0x5000, 8}).live();
  keep(killed, to + "killed");
  begin(torn).raw(std::string(16, '\xff'));
  keep(torn, to + "torn");
  begin(lossy).lost(5);
  keep(lossy, to + "lossy");
}
