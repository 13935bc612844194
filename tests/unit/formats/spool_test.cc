#include "formats/spool.h"
#include "tests/support/catch.h"

#include <filesystem>

#include "formats/protobuf.h"
#include "formats/read/elf.h"
#include "formats/slots.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;

TEST_CASE("strands written side by side are read one after the other", "[formats][spool]") {
  const std::string file = std::filesystem::temp_directory_path() / "sct-spool-test";
  Output out(file, Target::stream);
  Spool spool(out);
  const size_t one = spool.strand(), two = spool.strand(), none = spool.strand();
  std::string first, second;
  for (size_t n = 0; n < 30'000; ++n) {
    const std::string text = std::to_string(n) + ' ';
    spool.append(one, text), first += text;
    if (n % 3 == 0) spool.append(two, text), second += text;
  }
  CHECK(spool.size(one) == first.size());
  for (const size_t strand : {two, none, one}) spool.copy(strand, out);
  out.finish();
  CHECK(test::contents(file) == second + first);
  std::filesystem::remove(file);
}

TEST_CASE("each thread alive has the lowest processor that time allows", "[formats][slots]") {
  Slots slots;
  CHECK(slots.take(1, 1, 100) == 0);
  CHECK(slots.take(1, 2, 100) == 1);
  CHECK(slots.take(2, 3, 100) == 2);
  slots.give(1, 1, 200);
  CHECK(slots.take(1, 4, 150) == 3);  // 0 was in use until 200
  CHECK(slots.take(1, 5, 200) == 0);
  CHECK(slots.of(1, 2) == 1);
  CHECK(slots.of(1, 4) == 3);
  CHECK(slots.threads(1).size() == 3);
  CHECK(slots.count() == 4);
}

TEST_CASE("code and build of a file are found, and nothing in one that is none", "[formats][elf]") {
  const read::ElfFacts self = read::elf_facts("/proc/self/exe");
  CHECK_FALSE(self.code.empty());
  CHECK(self.code[0].address % 4096 == self.code[0].offset % 4096);
  CHECK(read::elf_facts("/etc/passwd").code.empty());
  CHECK(read::elf_facts("/nowhere").build_id.empty());
  CHECK(read::elf_facts("/dev/zero").code.empty());
}

TEST_CASE("numbers of protocol buffers are as short as they can be", "[formats][protobuf]") {
  std::string bytes;
  protobuf::put_number(bytes, 1, 150);
  protobuf::put_bytes(bytes, 2, "testing");
  CHECK(bytes == "\x08\x96\x01\x12\x07testing");
}
