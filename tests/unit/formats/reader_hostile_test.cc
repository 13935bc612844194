// Any bytes at all give events or one clear error: never a crash, a hang or memory without bound.
#include <cstring>
#include <filesystem>
#include <fstream>

#include "arch/table.h"
#include "formats/read/check.h"
#include "formats/read/timeline.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using test::ScratchTrace;
using wire::Began;

namespace {

// Reads all; the number of items, or -1 for a BadTrace. Anything else escapes and fails the test.
int64_t items(const std::string& path) {
  try {
    const read::Trace trace(path);
    read::Timeline timeline(trace);
    int64_t count = 0;
    for (read::Item item; timeline.next(item);) ++count;
    return count;
  } catch (const read::BadTrace&) {
    return -1;
  }
}

// Something of everything, in few bytes.
void fill(ScratchTrace& scratch, wire::Mode mode) {
  auto& image = scratch.image(7, mode, 256, 4);
  auto& ring = image.ring(7, Began::image);
  ring.entry(nr_read, {3, 0x7fff'0000'1000, 64})
      .out(0x7fff'0000'1000, "hello")
      .exit(5)
      .entry(nr_getpid)
      .raw(std::string_view("\3\0\11\0\60\0\0\0\0\20\0\0\0\0\0\0\0\40\0\0\0\0\0\0", 24))  // a stack
      .exit(7)
      .signal(14)
      .lost(2)
      .time();
  ring.entry(nr_vfork)
      .thread(8, 8, Began::vfork, 7)
      .entry(nr_execve)
      .thread(7, 7, Began::back)
      .exit(8);
  ring.far_entry(0x10000, {1, 2, 3, 4, 5, 6}, 0x7f00'0000'0000)
      .exit(-38)
      .entry(nr_read, {})
      .exit(0, wire::exit_cancelled);
  for (int n = 0; n < 30; ++n) ring.call(nr_getpid, {}, n);
  image.ring(9, Began::clone, 7).entry(nr_exit_group, {1}).live();
}

// The offsets where something is said; the rest of a sparse file reads as zero whatever is done to
// it.
std::vector<size_t> spoken(const std::string& bytes) {
  std::vector<size_t> all;
  for (size_t n = 0; n < bytes.size(); ++n)
    if (bytes[n] || (n && bytes[n - 1])) all.push_back(n);
  return all;
}

}  // namespace

TEST_CASE("a file cut at any byte is read or refused", "[read][hostile]") {
  ScratchTrace scratch;
  fill(scratch, wire::Mode::stream);
  const std::string path = scratch.write();
  const int which = GENERATE(0, 1, 2);
  const std::string file = which == 0   ? scratch.ring_file()
                           : which == 1 ? scratch.data_file()
                                        : path + "/session";
  const std::string whole = test::contents(file);
  const int64_t all = items(path);
  REQUIRE(all > 60);
  bool holds = true;
  const std::vector<size_t> cuts = spoken(whole);
  for (auto cut = cuts.rbegin(); cut != cuts.rend(); ++cut) {
    std::filesystem::resize_file(file, *cut);
    holds = holds && items(path) <= all + 8;  // each torn block may add a loss
  }
  CHECK(holds);
}

TEST_CASE("any byte may be another", "[read][hostile]") {
  ScratchTrace scratch;
  const auto mode = GENERATE(wire::Mode::stream, wire::Mode::overwrite);
  fill(scratch, mode);
  const std::string path = scratch.write();
  const bool drained = std::filesystem::exists(scratch.data_file());
  for (const std::string& file :
       {scratch.ring_file(), drained ? scratch.data_file() : path + "/session"}) {
    const std::string bytes = test::contents(file);
    std::fstream poke(file, std::ios::in | std::ios::out | std::ios::binary);
    for (const size_t at : spoken(bytes)) {
      for (const int flip : {0x01, 0x80, 0xff, 0x00}) {
        poke.seekp(static_cast<std::streamoff>(at))
            .put(static_cast<char>(bytes[at] ^ flip))
            .flush();
        if (flip) items(path);
      }
    }
  }
  CHECK(items(path) > 20);
}

TEST_CASE("check and repair stand any byte too", "[read][hostile]") {
  const size_t step = GENERATE(0u, 1u, 2u, 3u, 4u, 5u, 6u);
  ScratchTrace scratch;
  fill(scratch, wire::Mode::stream);
  const std::string path = scratch.write();
  const std::vector<std::string> files{scratch.ring_file(), scratch.data_file()};
  for (const std::string& file : files) {
    const std::string whole = test::contents(file);
    const std::vector<size_t> places = spoken(whole);
    for (size_t n = step; n < places.size(); n += 49) {
      std::string bytes = whole;
      bytes[places[n]] = static_cast<char>(bytes[places[n]] ^ 0x41);
      scratch.write();
      test::overwrite(file, bytes);
      read::repair(path);
      INFO(file << " byte " << places[n]);
      CHECK(read::check(path).problem_count == 0);
    }
  }
}

// A stream of sixty calls, most of them drained; its data file with one number that no block has,
// in the block that begins there.
constexpr uint64_t block_bytes = 256;
std::string sixty_calls(ScratchTrace& scratch) {
  auto& ring = scratch.image(7, wire::Mode::stream, block_bytes, 4).ring(7, Began::image);
  for (int n = 0; n < 60; ++n) ring.call(nr_getpid, {}, n);
  return scratch.write();
}
void number_wildly(const ScratchTrace& scratch, bool last) {
  std::string data = test::contents(scratch.data_file());
  const uint64_t wild = (uint64_t{1} << 52) - 1;
  const size_t block = last ? data.size() - block_bytes : 0;
  std::memcpy(data.data() + block + offsetof(wire::BlockHeader, sequence), &wild, sizeof wild);
  test::overwrite(scratch.data_file(), data);
}

TEST_CASE("a wild block number costs no more than the block", "[read][hostile]") {
  ScratchTrace scratch;
  const std::string path = sixty_calls(scratch);
  const int64_t all = items(path);
  number_wildly(scratch, true);
  const int64_t now = items(path);  // and not after a quadrillion of tries
  CHECK(now > all - 20);
  CHECK(now <= all + 2);
  CHECK(read::check(path).problem_count > 0);
  read::repair(path);
  CHECK(read::check(path).problem_count == 0);
}

TEST_CASE("a flight recorder has no blocks outside its ring", "[read][hostile]") {
  ScratchTrace scratch;
  const std::string path = sixty_calls(scratch);
  const int64_t all = items(path);
  number_wildly(scratch, false);
  std::string rings = test::contents(scratch.ring_file());
  const auto mode = wire::Mode::overwrite;
  std::memcpy(rings.data() + offsetof(wire::Image, mode), &mode, sizeof mode);
  test::overwrite(scratch.ring_file(), rings);
  CHECK(items(path) < all);  // and not after a quadrillion of tries
  CHECK(read::check(path).problem_count > 0);
}
