#include "rewriter/apply.h"
#include "tests/support/catch.h"

#include <fcntl.h>
#include <unistd.h>

#include "arch/x86_64/frame.h"
#include "tests/unit/rewriter/executed.h"

using namespace sctrace::rewriter;
using sctrace::test::Mapped;

extern "C" const char toy_trampoline[] = "";  // these stubs are never run

namespace {

Stub stub_for(const Mapped& mapped) {
  const sctrace::test::Planned planned(mapped.object());
  Stub stub;
  uint8_t code[stub_max];
  const Refusal refusal = build_stub(planned.plans[0], mapped.object().text, mapped.begin + 0x10000,
                                     mapped.begin, 0, code, stub);
  REQUIRE(refusal == Refusal::none);
  return stub;
}

std::string protection_of(uint64_t address) {
  FILE* maps = std::fopen("/proc/self/maps", "r");
  char line[512], bits[8] = "";
  uint64_t begin, end;
  std::string found;
  while (maps && std::fgets(line, sizeof line, maps))
    if (std::sscanf(line, "%lx-%lx %4s", &begin, &end, bits) == 3 && begin <= address &&
        address < end)
      found = bits;
  if (maps) std::fclose(maps);
  return found;
}

}  // namespace

TEST_CASE("a patch and its undoing are exact, whichever way the kernel lets us write",
          "[rewriter][apply]") {
  const char* code = GENERATE("[b827000000 0f05 c3]", "[89f8 0f05 c3] cccccccccc [c3]",
                              "[4889f6 4889ff 89c0 0f05 c3]", "[0f05 483d00f0ffff c3]");
  const bool by_proc = GENERATE(true, false);
  const size_t offset = GENERATE(0, 3, 4090, 4094);
  const Mapped mapped(code, offset);
  Stub stub = stub_for(mapped);
  Writer writer;
  if (!by_proc) writer.avoid_proc();
  REQUIRE(patch(stub, writer) == Refusal::none);
  CHECK(stub.patched);
  const Change jump = jump_over_window(stub);
  CHECK(!std::memcmp(reinterpret_cast<void*>(jump.address), jump.bytes, jump.size));
  CHECK(protection_of(mapped.code.address) == "r-xp");
  CHECK(protection_of(mapped.code.address + mapped.code.text.size() - 1) == "r-xp");
  // Nothing but the windows has changed.
  std::vector<uint8_t> expected = mapped.code.text;
  std::memcpy(&expected[jump.address - mapped.code.address], jump.bytes, jump.size);
  if (stub.tactic == Tactic::pad)
    std::memcpy(&expected[stub.site - mapped.code.address], short_jump_over_site(stub).bytes, 2);
  CHECK(!std::memcmp(mapped.at(0), expected.data(), expected.size()));
  REQUIRE(unpatch(stub, writer) == Refusal::none);
  CHECK(mapped.is_original());
  CHECK_FALSE(stub.patched);
}

TEST_CASE("bytes that are not the expected ones are left alone", "[rewriter][apply]") {
  const Mapped mapped("[b827000000 0f05 c3]");
  Stub stub = stub_for(mapped);
  stub.original[4] ^= 1;
  Writer writer;
  CHECK(patch(stub, writer) == Refusal::changed);
  CHECK(mapped.is_original());
  CHECK_FALSE(stub.patched);
}

TEST_CASE("a patch that was overwritten is not taken back", "[rewriter][apply]") {
  const Mapped mapped("[b827000000 0f05 c3]");
  Stub stub = stub_for(mapped);
  Writer writer;
  REQUIRE(patch(stub, writer) == Refusal::none);
  const Change jump = jump_over_window(stub);
  const uint8_t other[] = {0x90};
  REQUIRE(writer.write(stub.window, jump.bytes, other, 1, 5) == Refusal::none);
  CHECK(unpatch(stub, writer) == Refusal::changed);
  CHECK(stub.patched);
}

TEST_CASE("memory that nobody may write is refused", "[rewriter][apply]") {
  // A shared mapping of a file that is open for reading: the kernel refuses both ways.
  const int file = open("/proc/self/exe", O_RDONLY);
  REQUIRE(file >= 0);
  void* got = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
  close(file);
  REQUIRE(got != MAP_FAILED);
  const uint8_t expected[] = {0x7f, 'E', 'L', 'F'}, wanted[] = {1, 2, 3, 4};
  Writer writer;
  CHECK(writer.write(reinterpret_cast<uint64_t>(got), expected, wanted, 4, 5) ==
        Refusal::not_writable);
  CHECK(!std::memcmp(got, expected, 4));
  munmap(got, 4096);
}

TEST_CASE("writing leaves no descriptor open", "[rewriter][apply]") {
  const int before = dup(0);
  close(before);
  { Writer writer; }
  const int after = dup(0);
  close(after);
  CHECK(before == after);
}
