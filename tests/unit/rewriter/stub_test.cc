#include "rewriter/stub.h"
#include "tests/support/catch.h"

#include "arch/x86_64/encode.h"
#include "tests/unit/rewriter/pretend.h"

using namespace sctrace::rewriter;
using sctrace::test::Planned;
using sctrace::test::Pretend;
namespace encode = sctrace::arch::encode;

namespace {
constexpr uint64_t base = 0x400000, place = 0x500000, trampoline = 0x600000;

struct Built {
  Pretend code;
  Planned planned;
  Stub stub;
  uint8_t bytes[stub_max] = {};
  Refusal refusal;

  explicit Built(const char* text, uint64_t at = place, uint64_t to = trampoline)
      : code(text),
        planned(code.object()),
        refusal(build_stub(planned.plans[0], code.object().text, at, to, 7, bytes, stub)) {}
};
}  // namespace

TEST_CASE("a stub keeps the contract with the trampoline", "[rewriter][stub]") {
  const char* code =
      GENERATE("[b827000000 0f05 c3]", "[89f8 0f05 c3] cccccccccc [c3]", "[31ff 31f6 89d0 0f05 c3]",
               "[0f05 483d00f0ffff c3]", "[31ff 89d0 0f05 ebf8]");
  const uint64_t to = GENERATE(as<uint64_t>{}, 0x600000, 0x7fff'0000'0000);  // near, far
  const Built built(code, place, to);
  REQUIRE(built.refusal == Refusal::none);
  const Stub& stub = built.stub;
  const auto word = [&](uint64_t at) {
    int32_t value;
    std::memcpy(&value, built.bytes + (at - place), sizeof value);
    return value;
  };
  const auto byte = [&](uint64_t at) { return unsigned{built.bytes[at - place]}; };
  CHECK(stub.begin == place);
  CHECK(byte(stub.entry_jump + 2) == 0x1d);  // lea tail(%rip),%r11
  CHECK(stub.entry_jump + 7 + word(stub.entry_jump + 3) == stub.tail);
  CHECK(word(stub.tail - 6) == 7);
  CHECK(byte(stub.tail - 2) == 0x0f);
  CHECK(byte(stub.tail - 1) == 0x05);
  CHECK(stub.tail + 7 + word(stub.tail + 3) == stub.site + 2);  // lea site+2(%rip),%rcx
  CHECK(byte(stub.end - 5) == 0xe9);
  CHECK(stub.end + word(stub.end - 4) == stub.resume);
  CHECK(stub.size % stub_align == 0);
  CHECK(stub.size <= stub_max);
  if (to == trampoline) {
    CHECK(byte(stub.entry_jump + 7) == 0xe9);
    CHECK(stub.entry_jump + 12 + word(stub.entry_jump + 8) == trampoline);
  } else {
    CHECK(byte(stub.entry_jump + 7) == 0xff);
    uint64_t literal;
    std::memcpy(&literal, built.bytes + (stub.entry_jump + 13 + word(stub.entry_jump + 9) - place),
                8);
    CHECK(literal == to);
  }
}

TEST_CASE("a stub knows its call's number when mov was moved", "[rewriter][stub]") {
  CHECK(Built("[b827000000 0f05 c3]").stub.number == 39);
  CHECK(Built("[89f8 0f05 c3] cccccccccc [c3]").stub.number == -1);
}

TEST_CASE("a stub that cannot reach is refused", "[rewriter][stub]") {
  CHECK(Built("[b827000000 0f05 c3]", 0x9000'0000).refusal == Refusal::out_of_reach);
  CHECK(Built("[488b0500f0ff7f 0f05 c3]", base - 0x100000).refusal == Refusal::out_of_reach);
}

TEST_CASE("every address of a stub has its original, and moved ones their way back",
          "[rewriter][stub]") {
  SECTION("before") {
    const Built built("[31ff 31f6 89d0 0f05 c3]");
    const Stub& stub = built.stub;
    CHECK(original_pc(stub, place) == base);
    CHECK(original_pc(stub, place + 2) == base + 2);
    CHECK(original_pc(stub, place + 4) == base + 4);
    CHECK(original_pc(stub, stub.entry_jump) == base + 6);
    CHECK(original_pc(stub, stub.tail - 2) == base + 6);
    CHECK(original_pc(stub, stub.tail) == base + 8);
    CHECK(original_pc(stub, stub.end - 5) == base + 8);
    CHECK(patched_pc(stub, base) == base);
    CHECK(patched_pc(stub, base + 2) == place + 2);
    CHECK(patched_pc(stub, base + 4) == place + 4);
    CHECK(patched_pc(stub, base + 6) == stub.entry_jump);
    CHECK(patched_pc(stub, base + 8) == base + 8);
  }
  SECTION("after") {
    const Built built("[0f05 90 90 90 c3]");
    const Stub& stub = built.stub;
    CHECK(original_pc(stub, stub.tail) == base + 2);
    CHECK(original_pc(stub, stub.tail + 7) == base + 2);
    CHECK(original_pc(stub, stub.tail + 8) == base + 3);
    CHECK(original_pc(stub, stub.end - 5) == base + 5);
    CHECK(patched_pc(stub, base) == stub.entry_jump);
    CHECK(patched_pc(stub, base + 2) == stub.tail + 7);
    CHECK(patched_pc(stub, base + 5) == base + 5);
  }
  SECTION("pad") {
    const Built built("[89f8 0f05 c3] cccccccccc [c3]");
    CHECK(original_pc(built.stub, base + 5) == base + 2);
    CHECK(patched_pc(built.stub, base + 5) == base + 5);
  }
}

TEST_CASE("an encoding that does not reach is nothing", "[rewriter][encode]") {
  CHECK(encode::jump(0, 5 + 0x7fffffffull));
  CHECK_FALSE(encode::jump(0, 5 + 0x80000000ull));
  CHECK(encode::jump(0x80000000, 5));
  CHECK(encode::short_jump(0x1000, 0x1002 + 127));
  CHECK_FALSE(encode::short_jump(0x1000, 0x1002 + 128));
  CHECK(encode::short_jump(0x1000, 0x1002 - 128));
  CHECK_FALSE(encode::short_jump(0x1000, 0x1002 - 129));
}
