#include "formats/read/trace.h"
#include "tests/support/catch.h"

#include <unistd.h>

#include <cstring>
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

std::string refusal(const std::string& directory) {
  try {
    const read::Trace trace(directory);
    return "none";
  } catch (const read::BadTrace& bad) {
    return bad.what();
  }
}

// Changes bytes of a file at an offset.
template <class Value>
void patch(const std::string& file, size_t offset, Value value) {
  std::string bytes = test::contents(file);
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  test::overwrite(file, bytes);
}

}  // namespace

TEST_CASE("what is no trace is refused with a reason", "[read][trace]") {
  ScratchTrace scratch;
  scratch.image(7).ring(7, Began::image);
  const std::string path = scratch.write(), session = path + "/session";
  SECTION("nothing there") { CHECK_THAT(refusal(path + "/nowhere"), contains("no such trace")); }
  SECTION("a file") { CHECK_THAT(refusal(session), contains("no directory")); }
  SECTION("no session") {
    std::filesystem::remove(session);
    CHECK_THAT(refusal(path), contains("no file `session`"));
  }
  SECTION("empty session") {
    test::overwrite(session, "");
    CHECK_THAT(refusal(path), contains("session: empty"));
  }
  SECTION("truncated session") {
    test::overwrite(session, test::contents(session).substr(0, 100));
    CHECK_THAT(refusal(path), contains("session: offset 100: truncated"));
  }
  SECTION("another version") {
    patch<uint32_t>(session, offsetof(wire::Session, version), 99);
    CHECK_THAT(refusal(path), contains("version 99, this sctrace reads versions 2 to 5"));
  }
  SECTION("the other byte order") {
    patch(session, 0, __builtin_bswap64(wire::session_magic));
    CHECK_THAT(refusal(path), contains("the other byte order"));
  }
  SECTION("something else") {
    patch<uint64_t>(session, 0, 42);
    CHECK_THAT(refusal(path), contains("not the session of a sctrace trace"));
  }
  SECTION("session is a directory") {
    std::filesystem::remove(session);
    std::filesystem::create_directory(session);
    CHECK_THAT(refusal(path), contains("not a regular file"));
  }
}

TEST_CASE("an image that lies about its geometry is refused", "[read][trace]") {
  ScratchTrace scratch;
  scratch.image(7).ring(7, Began::image);
  const std::string path = scratch.write(), ring = scratch.ring_file();
  const auto lie = [&](size_t offset, auto value, const char* why) {
    patch(ring, offset, value);
    CHECK_THAT(refusal(path), contains(why));
  };
  SECTION("version") { lie(offsetof(wire::Image, version), uint32_t{1}, "version 1"); }
  SECTION("header") { lie(offsetof(wire::Image, header_bytes), uint32_t{8}, "size of the header"); }
  SECTION("no block") { lie(offsetof(wire::Image, block_bytes), uint64_t{0}, "size of a block"); }
  SECTION("odd block") {
    lie(offsetof(wire::Image, block_bytes), uint64_t{4095}, "size of a block");
  }
  SECTION("huge block") {
    lie(offsetof(wire::Image, block_bytes), ~uint64_t{7}, "size of a block");
  }
  SECTION("huge ring") {
    lie(offsetof(wire::Image, ring_bytes), uint64_t{1} << 63, "size of a ring");
  }
  SECTION("slot") { lie(offsetof(wire::Image, slot_bytes), uint64_t{1}, "size of a slot"); }
  SECTION("mode") { lie(offsetof(wire::Image, mode), uint32_t{9}, "unknown mode"); }
  SECTION("sites") { lie(offsetof(wire::Image, site_count), uint32_t{4000}, "more sites"); }
  SECTION("rings") {
    patch(ring, offsetof(wire::Image, slots), ~uint32_t{0});
    lie(offsetof(wire::Image, slots_used), uint32_t{60000}, "truncated: 60000 rings need");
  }
}

TEST_CASE("more threads than rings are no lie", "[read][trace]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  image.ring(7, Began::image);
  const std::string path = scratch.write();
  patch(scratch.ring_file(), offsetof(wire::Image, slots_used), uint32_t{9});
  CHECK(read::Trace(path).images().at(0).slots.size() == 4);
}

TEST_CASE("a file that its writer never began is no error", "[read][trace]") {
  ScratchTrace scratch;
  scratch.image(7).ring(7, Began::image);
  const std::string path = scratch.write();
  test::overwrite(path + "/9-0.ring", "");
  const read::Trace trace(path);
  CHECK(trace.images().size() == 1);
  CHECK(trace.unborn().size() == 1);
}

TEST_CASE("a trace may grow while it is read", "[read][trace]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7, wire::Mode::stream, 256, 4).ring(7, Began::image);
  for (int n = 0; n < 20; ++n) ring.call(nr_getpid, {}, n);
  ring.live();
  const read::Trace trace(scratch.write());
  read::Timeline timeline(trace);
  for (int n = 0; n < 60; ++n)
    ring.call(nr_getpid, {}, 20 + n);  // all that was in the ring is drained now
  scratch.write();
  int64_t expected = 0;
  for (read::Item item; timeline.next(item);)
    if (item.kind == read::Item::Kind::leave && item.call->result == expected) ++expected;
  CHECK(expected >= 20);
  CHECK(timeline.losses().gaps == 0);
}

TEST_CASE("the header's words are kept", "[read][trace]") {
  ScratchTrace scratch;
  scratch.image(7).ring(7, Began::image);
  const read::Trace trace(scratch.write());
  const read::Image& image = trace.images().at(0);
  CHECK(image.program == "/usr/bin/scratch");
  CHECK(image.command == "scratch -v");
  CHECK(trace.host() == "scratch");
  CHECK(trace.clock().realtime_offset() == 1'700'000'000'000'000'000 - 5'000'000'000);
}
