// The function table of Go programs, in place of frames.
#include "rewriter/frames.h"
#include "tests/support/catch.h"

#include "tests/unit/rewriter/pretend.h"

using namespace sctrace::rewriter;
using namespace sctrace::test;

namespace {

template <typename T>
void put(std::vector<uint8_t>& bytes, size_t at, T value) {
  if (bytes.size() < at + sizeof value) bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// The table for functions that begin at these offsets; the last offset is where the last one ends.
std::vector<uint8_t> table(uint64_t text, const std::vector<uint32_t>& begins,
                           uint32_t magic = 0xfffffff1) {
  std::vector<uint8_t> bytes(80);
  put(bytes, 0, magic), put(bytes, 4, 0x08010000u);
  put(bytes, 8, uint64_t{begins.size() - 1}), put(bytes, 24, text), put(bytes, 64, uint64_t{80});
  for (size_t i = 0; i < begins.size(); ++i) put(bytes, 80 + 8 * i, uint64_t{begins[i]});
  return bytes;
}

struct Go {
  Pretend code;
  std::vector<uint8_t> bytes;
  explicit Go(const std::string& text, const std::vector<uint32_t>& begins)
      : code(text), bytes(table(code.address, begins)) {
    code.hdr.clear();
  }
  Object object() const {
    Object object = code.object();
    object.go_table = {bytes, 0x900000};
    return object;
  }
};

}  // namespace

TEST_CASE("a Go table tells where functions begin and end", "[rewriter][frames]") {
  const Go go("b827000000 0f05 c3 cccccccccccccccc 0f05 c3 cccccc", {0, 16, 22});
  const Object object = go.object();
  const Frames frames(object);
  REQUIRE(frames.count() == 2);
  CHECK(frames.index_of(go.code.address + 5) == 0u);
  CHECK(frames.index_of(go.code.address + 17) == 1u);
  const auto first = frames.function(0), second = frames.function(1);
  REQUIRE((first && second));
  CHECK(first->end - first->begin == 8);  // without the int3 behind it
  CHECK(second->end - second->begin == 3);
  CHECK_FALSE(frames.function(2));
}

TEST_CASE("the sites of a Go program get doors by its table", "[rewriter][plan]") {
  const Go go("b827000000 0f05 c3 cccccccccccccccc 0f05 c3 cccccc", {0, 16, 22});
  const Planned planned(go.object());
  REQUIRE(planned.plans.size() == 2);
  CHECK(planned.plans[0].site.tactic == Tactic::mov);
  CHECK(planned.plans[1].site.tactic == Tactic::pad);
  CHECK(planned.plans[1].window == go.code.address + 8);
}

TEST_CASE("a Go table that lies gives no function", "[rewriter][frames]") {
  Go go("b827000000 0f05 c3 cccccccccccccccc 0f05 c3 cccccc", {0, 16, 22});
  SECTION("another version") { put(go.bytes, 0, 0xfffffffau); }
  SECTION("another pointer size") { put(go.bytes, 4, 0x04010000u); }
  SECTION("more functions than bytes") { put(go.bytes, 8, uint64_t{1} << 40); }
  SECTION("a text elsewhere") { put(go.bytes, 24, uint64_t{0x10}); }
  SECTION("a table elsewhere") { put(go.bytes, 64, ~uint64_t{0}); }
  SECTION("cut short") { go.bytes.resize(60); }
  const Object object = go.object();
  const Frames frames(object);
  CHECK(frames.count() == 0);
  CHECK_FALSE(frames.function(0));
}

TEST_CASE("functions of a Go table that leave the text are none", "[rewriter][frames]") {
  const Go go("b827000000 0f05 c3", {0, 4000});
  const Object object = go.object();
  CHECK_FALSE(Frames(object).function(0));
  const Planned planned(object);
  REQUIRE(planned.plans.size() == 1);
  CHECK(planned.plans[0].site.tactic == Tactic::trap);
  CHECK(planned.plans[0].site.refusal == Refusal::no_function);
}
