// Any ring and data file whatever: the reader gives events or one BadTrace. The input is a ring
// file's header area and rings without the empty space between, then data blocks; the sizes come
// first.
#include <fuzzer/FuzzedDataProvider.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "formats/read/timeline.h"
#include "formats/read/trace.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;

namespace {

// One trace on disk for the whole run; its files are overwritten by each input.
struct Stage {
  test::ScratchTrace scratch;
  std::string ring;
  Stage() {
    auto& image = scratch.image(7, wire::Mode::stream, 256, 4);
    for (uint32_t tid = 7; tid < 9; ++tid) {
      auto& one = image.ring(tid, wire::Began::clone);
      const std::string_view stack("\2\0\11\0\60\0\0\0\0\20\0\0\0\0\0\0", 16);
      const std::string_view again("\1\0\11\1\60\0\0\0", 8);
      for (int n = 0; n < 15; ++n)
        one.entry(0, {1, 2, 3}).raw(n % 3 ? again : stack).out(0x1000, "abc").exit(3);
    }
    scratch.write();
    ring = test::contents(scratch.ring_file());
  }
};

}  // namespace

// The ring file is a true one in which the input replaces the rings, and, last, some bytes of the
// header: whole random files would hardly pass the first check.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  static Stage stage;
  FuzzedDataProvider input(bytes, count);
  std::string file = stage.ring;
  for (unsigned changes = input.ConsumeIntegralInRange(0u, 4u); changes; --changes)
    file[input.ConsumeIntegralInRange<size_t>(0, 200)] = input.ConsumeIntegral<char>();
  for (unsigned slot = 0; slot < 2; ++slot) {
    const size_t at = wire::image_header_bytes + slot * (wire::ring_header_bytes + 1024);
    for (unsigned changes = input.ConsumeIntegralInRange(0u, 4u); changes; --changes)
      file[at + input.ConsumeIntegralInRange<size_t>(0, 40)] = input.ConsumeIntegral<char>();
    const std::string ring = input.ConsumeRandomLengthString(1024);
    file.replace(at + wire::ring_header_bytes, ring.size(), ring);
  }
  test::overwrite(stage.scratch.ring_file(), file);
  test::overwrite(stage.scratch.data_file(), input.ConsumeRemainingBytesAsString());
  try {
    const read::Trace trace(stage.scratch.path());
    read::Timeline timeline(trace);
    uint64_t items = 0;
    for (read::Item item; timeline.next(item);)
      if (++items > 100'000) abort();  // from a few KiB: that would be a loop
  } catch (const read::BadTrace&) {
    return 0;
  }
  return 0;
}
