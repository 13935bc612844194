#include "formats/read/live.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "arch/table.h"
#include "formats/read/snapshot.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using Catch::Matchers::Equals;
using test::ScratchRing;
using test::ScratchTrace;
using wire::Began;

namespace {

using Told = std::map<uint32_t, std::string>;  // by thread, an item a line

void tell(Told& told, const read::Item& item) {
  std::string& text = told[item.tid];
  switch (item.kind) {
    case read::Item::Kind::enter: text += fmt::format("{} ", lookup(item.call->nr).name); break;
    case read::Item::Kind::leave: text += fmt::format("= {}\n", item.call->result); break;
    case read::Item::Kind::lost: text += fmt::format("lost {}\n", item.lost); break;
    case read::Item::Kind::gone: text += "gone\n"; break;
    case read::Item::Kind::ending: text += "ending\n"; break;
    case read::Item::Kind::signal: text += "signal\n"; break;
    case read::Item::Kind::thread: text += "began\n"; break;
  }
}

Told whole(const std::string& directory) {
  const read::Trace trace(directory);
  read::Timeline timeline(trace);
  Told told;
  for (read::Item item; timeline.next(item);) tell(told, item);
  return told;
}

void take(read::LiveTrace& live, Told& told) {
  for (read::Item item; live.next(item);) tell(told, item);
}

void calls(ScratchRing& ring, int count, int64_t first) {
  for (int n = 0; n < count; ++n) {
    ring.entry(nr_read, {3, 0x1000, 64});
    ring.out(0x1000, std::string(static_cast<size_t>(n % 60), 'x'));
    ring.exit(first + n);
  }
}

}  // namespace

TEST_CASE("a trace that is read as it grows tells what it tells at its end", "[read][live]") {
  const auto [mode, step] =
      GENERATE(Catch::Generators::table<wire::Mode, int>({{wire::Mode::stream, 1},
                                                          {wire::Mode::stream, 7},
                                                          {wire::Mode::stream, 400},
                                                          {wire::Mode::overwrite, 1},
                                                          {wire::Mode::overwrite, 13}}));
  ScratchTrace scratch;
  auto& image = scratch.image(7, mode);
  auto& one = image.ring(7, 7, Began::image, 1).live();
  auto& other = image.ring(8).live();
  read::LiveTrace live(scratch.write());
  Told told;
  take(live, told);
  for (int round = 0; round < 30; ++round) {
    calls(one, step, round * 1000);
    if (round % 3 == 0) calls(other, step / 2, round * 1000);
    scratch.write();
    live.look(false);
    take(live, told);
  }
  one.entry(nr_exit_group, {0});
  scratch.write();
  live.finish();
  take(live, told);
  CHECK(live.losses().damaged == 0);
  if (mode == wire::Mode::stream) CHECK(told == whole(scratch.path()));
  CHECK(told[7].ends_with("exit_group gone\n"));
  CHECK(std::count(told[7].begin(), told[7].end(), '=') == 30 * step);
}

TEST_CASE("what left its ring while the block before it was read is not passed over",
          "[read][live]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  auto& one = image.ring(7, 7, Began::image, 1).live();
  calls(one, 3, 0);
  read::LiveTrace live(scratch.write());
  Told told;
  live.look(false);
  take(live, told);
  calls(one, 100, 3);
  scratch.write();
  // Two blocks are drained, and where they were nothing has been written yet.
  image.data = test::contents(scratch.ring_file())
                   .substr(wire::image_header_bytes + wire::ring_header_bytes, 2 * 4096);
  one.header().drained = 2 * 4096;
  scratch.write();
  live.look(false);
  take(live, told);
  CHECK(std::count(told[7].begin(), told[7].end(), '=') == 103);
  CHECK(live.losses().gaps == 0);
}

TEST_CASE("a flight recorder that outruns its reader leaves a gap and no damage", "[read][live]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7, wire::Mode::overwrite).ring(7, 7, Began::image, 1).live();
  calls(ring, 3, 0);
  read::LiveTrace live(scratch.write());
  Told told;
  take(live, told);
  calls(ring, 2000, 100);
  scratch.write();
  live.look(false);
  take(live, told);
  CHECK(live.losses().damaged == 0);
  CHECK(live.losses().rolled_over > 0);
  CHECK_THAT(told[7], test::contains("read = 2099\n"));
}

TEST_CASE("rings and images that come later are found", "[read][live]") {
  ScratchTrace scratch;
  auto& first = scratch.image(7);
  calls(first.ring(7, 7, Began::image, 1).live(), 1, 0);
  read::LiveTrace live(scratch.write());
  Told told;
  take(live, told);
  calls(first.ring(8).live(), 1, 10);
  calls(scratch.image(9).ring(9, 9, Began::image, 7).live(), 1, 20);
  scratch.write();
  live.look(false);
  take(live, told);
  CHECK_THAT(told[8], Equals("began\nread = 10\n"));
  CHECK_THAT(told[9], Equals("began\nread = 20\n"));
}

TEST_CASE("a call that waits is told after a while, and once", "[read][live]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, 7, Began::image, 1).live();
  ring.entry(nr_read, {0, 0x1000, 64});
  read::LiveTrace live(scratch.write());
  Told told;
  live.look(false);
  take(live, told);
  CHECK_THAT(told[7], Equals("began\n"));
  for (int n = 0; n < 4; ++n) live.look(false), take(live, told);
  CHECK_THAT(told[7], Equals("began\nread "));
  ring.exit(5);
  scratch.write();
  live.look(false);
  take(live, told);
  CHECK_THAT(told[7], Equals("began\nread = 5\n"));
}

TEST_CASE("what may be taken back is not told while the ring is live", "[read][live]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, 7, Began::image, 1).live();
  calls(ring, 1, 1);
  ring.header().settled = ring.head();
  ring.entry(nr_close, {5});
  read::LiveTrace live(scratch.write());
  Told told;
  for (int n = 0; n < 5; ++n) live.look(false), take(live, told);
  CHECK_THAT(told[7], Equals("began\nread = 1\n"));
  SECTION("and is, if nobody writes any more") {
    live.finish();
    take(live, told);
    CHECK_THAT(told[7], Equals("began\nread = 1\nclose "));
  }
  SECTION("and is, once it stays") {
    ring.exit(0);
    ring.header().settled = ring.head();
    scratch.write();
    live.look(false);
    take(live, told);
    CHECK_THAT(told[7], Equals("began\nread = 1\nclose = 0\n"));
  }
}

TEST_CASE("a call that a filter did not want is as if it were not there", "[read][timeline]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, 7, Began::image, 1);
  ring.call(nr_getpid, {}, 7);
  ring.entry(nr_close, {5}).exit(0, wire::exit_filtered);
  ring.call(nr_getppid, {}, 1);
  ring.entry(nr_read, {0, 0, 1}).signal(10).exit(0, wire::exit_filtered);
  CHECK_THAT(whole(scratch.write())[7], Equals("began\ngetpid = 7\ngetppid = 1\nsignal\n"));
}

TEST_CASE("a snapshot is a whole trace of its moment", "[read][snapshot]") {
  const auto mode = GENERATE(wire::Mode::stream, wire::Mode::overwrite);
  ScratchTrace scratch;
  auto& ring = scratch.image(7, mode).ring(7, 7, Began::image, 1).live();
  calls(ring, 700, 0);
  const std::string to = scratch.write() + "-copy";
  const read::Snapshot done = read::snapshot(scratch.path(), to);
  const Told copied = whole(to), source = whole(scratch.path());
  const read::Trace trace(to);
  CHECK(trace.damages().count == 0);
  std::filesystem::remove_all(to);
  CHECK(done.rings == 1);
  CHECK(copied == source);
}

TEST_CASE("a snapshot never writes over anything", "[read][snapshot]") {
  ScratchTrace scratch;
  scratch.image(7).ring(7, 7, Began::image, 1);
  CHECK_THROWS_AS(read::snapshot(scratch.write(), scratch.path()), read::BadTrace);
}
