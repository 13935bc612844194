#include "rewriter/frames.h"
#include "tests/support/catch.h"

#include "tests/unit/rewriter/pretend.h"

using namespace sctrace::rewriter;
using sctrace::test::Planned;
using sctrace::test::Pretend;

TEST_CASE("the table finds the function of an address", "[rewriter][frames]") {
  const Pretend code("[90 90 c3] cccc [c3] cc [90 c3]");
  const Object object = code.object();
  const Frames frames(object);
  REQUIRE(frames.count() == 3);
  CHECK_FALSE(frames.index_of(code.address - 1));
  CHECK(frames.index_of(code.address) == 0u);
  CHECK(frames.index_of(code.address + 4) == 0u);
  CHECK(frames.index_of(code.address + 5) == 1u);
  const auto last = frames.function(2);
  REQUIRE(last);
  CHECK(last->begin == code.address + 7);
  CHECK(last->end == code.address + 9);
  CHECK(last->lsda == 0);
  CHECK_FALSE(frames.function(3));
}

TEST_CASE("a signal return's function begins behind its fill", "[rewriter][frames]") {
  const Pretend code("[00 48c7c00f000000 0f05]");
  Function function{
      .begin = code.address, .end = code.address + 10, .lsda = 0, .signal_frame = true};
  CHECK(first_insn(function, code.object().text) == code.address + 1);
  function.signal_frame = false;
  CHECK(first_insn(function, code.object().text) == code.address);
}

TEST_CASE("no lie in the sections makes a function that lies outside", "[rewriter][frames]") {
  Pretend code("[90 90 c3] cccc [c3]");
  SECTION("another version") { code.hdr[0] = 2; }
  SECTION("another table encoding") { code.hdr[3] = 0x1b; }
  SECTION("an entry that leads nowhere") { std::memset(&code.hdr[16], 0x7f, 4); }
  SECTION("an entry whose FDE begins elsewhere") { code.hdr[12] ^= 1; }
  SECTION("a length of nothing") { code.frames[24] = 0; }
  SECTION("a length beyond the section") { std::memset(&code.frames[24], 0x7f, 4); }
  SECTION("a 64-bit length") { std::memset(&code.frames[24], 0xff, 4); }
  SECTION("a CIE in place of an FDE") { std::memset(&code.frames[28], 0, 4); }
  SECTION("a CIE far away") { std::memset(&code.frames[28], 0x70, 4); }
  SECTION("an augmentation that nobody knows") { code.frames[10] = 'X'; }
  SECTION("an augmentation without an end") { std::memset(&code.frames[9], 'R', 15); }
  SECTION("a range beyond the text") { std::memset(&code.frames[36], 0x7f, 4); }
  SECTION("an empty range") { std::memset(&code.frames[36], 0, 4); }
  const Object object = code.object();
  CHECK_FALSE(Frames(object).function(0));
}

TEST_CASE("of functions that overlap none is believed", "[rewriter][frames]") {
  Pretend code("[90 90 c3] cccc [90 0f05 c3] cc [c3]");
  code.frames[36] += 3;  // the first one ends within the second
  const Object object = code.object();
  CHECK_FALSE(Frames(object).function(0));
  CHECK_FALSE(Frames(object).function(1));
  CHECK(Frames(object).function(2));
  const Planned planned(object);
  REQUIRE(planned.plans.size() == 1);
  CHECK(planned.plans[0].site.refusal == Refusal::no_function);
}

TEST_CASE("a section that is cut anywhere gives fewer functions and no fault",
          "[rewriter][frames]") {
  const Pretend whole("[b827000000 0f05 c3] cccccccccc [31ff31f690 0f05 c3]");
  const size_t size = GENERATE_REF(range(size_t{0}, whole.hdr.size() + whole.frames.size()));
  // Exactly as many bytes as there are, on the heap: a read beyond is seen by the sanitizer.
  std::vector<uint8_t> hdr(whole.hdr.begin(), whole.hdr.begin() + std::min(size, whole.hdr.size()));
  const size_t rest = size - hdr.size();
  std::vector<uint8_t> frames(whole.frames.begin(), whole.frames.begin() + rest);
  Object object = whole.object();
  object.eh_frame_hdr.bytes = hdr;
  object.frames.bytes = frames;
  const Planned planned(object);
  CHECK(planned.plans.size() == 2);
}

TEST_CASE("an exception table that does not end is not believed", "[rewriter][frames]") {
  Pretend code("[90 90 c3]");
  const auto table = GENERATE("ff ff 01 ff ff ff ff ff ff ff ff ff ff ff",
                              "ff ff 01 7f 00 01 01 00", "ff ff", "ff");
  code.add_lsda(table);
  const Object object = code.object();
  const auto function = Frames(object).function(0);
  REQUIRE(function);
  CHECK(function->lsda == code.lsda);
  CHECK(may_land_inside(*function, object.frames, code.address, code.address + 2));
}
