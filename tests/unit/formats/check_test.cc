#include "formats/read/check.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <filesystem>

#include "arch/table.h"
#include "formats/read/timeline.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using sctrace::test::contains;
using test::ScratchTrace;
using wire::Began;

namespace {

std::vector<int64_t> results(const std::string& path) {
  const read::Trace trace(path);
  read::Timeline timeline(trace);
  std::vector<int64_t> all;
  for (read::Item item; timeline.next(item);)
    if (item.kind == read::Item::Kind::leave) all.push_back(item.call->result);
  return all;
}

void fill(test::ScratchRing& ring, int calls) {
  for (int n = 0; n < calls; ++n) ring.call(nr_getpid, {}, n);
}

}  // namespace

TEST_CASE("a whole trace has no problems and needs no repair", "[read][check]") {
  ScratchTrace scratch;
  fill(scratch.image(7, wire::Mode::stream, 256, 4).ring(7, Began::image), 100);
  const std::string path = scratch.write();
  const read::Checked checked = read::check(path);
  CHECK(checked.problem_count == 0);
  CHECK(checked.notes.empty());
  CHECK(checked.calls == 100);
  CHECK(read::repair(path).empty());
}

TEST_CASE("kill -9 is said and is no damage", "[read][check]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  fill(ring, 3);
  ring.entry(nr_read, {}).live();
  const std::string path = scratch.write();
  const read::Checked checked = read::check(path);
  CHECK(checked.problem_count == 0);
  REQUIRE(checked.notes.size() == 1);
  CHECK(checked.notes[0].why == "killed while recording: 1 call unfinished");
  SECTION("and repair closes it") {
    CHECK(read::repair(path).size() == 1);
    CHECK(read::check(path).notes.empty());
    CHECK(results(path).size() == 3);
  }
  SECTION("after `ctl off` it may be as it should") {
    scratch.session.off = 7;
    CHECK_THAT(read::check(scratch.write()).notes[0].why,
               Catch::Matchers::StartsWith("ended while it was off, or killed"));
  }
}

TEST_CASE("a process that ended by itself was not killed", "[read][check]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  image.ring(7, Began::image).entry(nr_exit_group, {0}).live();
  image.ring(8, Began::clone, 7).entry(nr_read, {}).live();
  CHECK(read::check(scratch.write()).notes.empty());
}

TEST_CASE("damage is told with file and offset, and repaired without losing a readable record",
          "[read][check]") {
  ScratchTrace scratch;
  const auto mode = GENERATE(wire::Mode::stream, wire::Mode::overwrite);
  auto& ring = scratch.image(7, mode, 512, 4).ring(7, Began::image);
  fill(ring, 100);
  const std::string path = scratch.write();
  const size_t first = results(path).size();
  std::string bytes = test::contents(scratch.ring_file());
  const size_t at = wire::image_header_bytes + wire::ring_header_bytes + 2 * 512;
  SECTION("a record") {
    bytes[at + sizeof(wire::BlockHeader) + 16] = '\0',
                                           bytes[at + sizeof(wire::BlockHeader) + 17] = '\0';
  }
  SECTION("a block") { bytes[at] = 'x'; }
  test::overwrite(scratch.ring_file(), bytes);
  const read::Checked checked = read::check(path);
  REQUIRE(checked.problem_count == 1);
  CHECK(checked.problems[0].file == scratch.ring_file());
  CHECK(checked.problems[0].offset >= at);
  const std::vector<int64_t> before = results(path);
  CHECK(before.size() < first);
  CHECK(read::repair(path).size() == 1);
  CHECK(read::check(path).problem_count == 0);
  CHECK(results(path) == before);
  CHECK(read::repair(path).empty());
}

TEST_CASE("repair takes what else there is along", "[read][check]") {
  ScratchTrace scratch;
  fill(scratch.image(7).ring(7, Began::image).live(), 5);
  fill(scratch.image(8).ring(8, Began::image), 5);
  const std::string path = scratch.write();
  SECTION("an image cut short") {
    std::filesystem::resize_file(scratch.ring_file(1),
                                 wire::image_header_bytes + wire::ring_header_bytes + 200);
    CHECK(read::check(path).problem_count == 1);
    read::repair(path);
    CHECK(read::check(path).problem_count == 0);
    CHECK(results(path).size() > 5);
  }
  SECTION("an image beyond help") {
    test::overwrite(scratch.ring_file(1), std::string(5000, 'x'));
    read::repair(path);
    CHECK(read::check(path).problem_count == 0);
    CHECK(std::filesystem::exists(scratch.ring_file(1) + ".bad"));
    CHECK(results(path).size() == 5);
  }
  SECTION("no session") {
    std::filesystem::remove(path + "/session");
    read::repair(path);
    CHECK(results(path).size() == 10);
  }
  SECTION("a file of somebody else") {
    test::overwrite(path + "/notes.txt", "mine");
    read::repair(path);
    CHECK(test::contents(path + "/notes.txt") == "mine");
  }
  CHECK_FALSE(std::filesystem::exists(path + ".repairing"));
}

TEST_CASE("repair leaves a directory alone that is no trace", "[read][check]") {
  ScratchTrace scratch;
  test::overwrite(scratch.path() + "/letter.txt", "dear");
  CHECK_THROWS_AS(read::repair(scratch.path()), read::BadTrace);
  CHECK(test::contents(scratch.path() + "/letter.txt") == "dear");
}

TEST_CASE("check tells how far it is, up to the end", "[read][check]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7, wire::Mode::stream, 256, 4);
  for (uint32_t tid = 7; tid < 10; ++tid)
    fill(image.ring(7, tid, tid == 7 ? Began::image : Began::clone, 7), 100);
  std::vector<double> parts;
  read::check(scratch.write(), [&](double part) { parts.push_back(part); });
  REQUIRE(parts.size() > 30);
  CHECK(std::is_sorted(parts.begin(), parts.end()));
  CHECK(parts.front() < 0.2);
  CHECK(parts.back() > 0.9);
  CHECK(parts.back() <= 1);
}
