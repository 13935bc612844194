#include "rewriter/insn.h"
#include "tests/support/catch.h"

#include "tests/support/hex.h"

using namespace sctrace::rewriter;
using sctrace::test::hex;

TEST_CASE("a decode knows length, flow and target", "[rewriter][insn]") {
  struct Row {
    const char* name;
    const char* code;
    unsigned length;
    Flow flow;
    uint64_t target;
  };
  const auto row = GENERATE(values<Row>({
      {"plain", "4889c7 90", 3, Flow::next, 0},
      {"call", "e810000000", 5, Flow::call, 0x1015},
      {"call through a register", "ffd0", 2, Flow::call, 0},
      {"jmp rel32", "e9fbffffff", 5, Flow::jump, 0x1000},
      {"jmp rel8", "ebfe", 2, Flow::jump, 0x1000},
      {"jcc rel8", "7510", 2, Flow::branch, 0x1012},
      {"jcc rel32", "0f8410000000", 6, Flow::branch, 0x1016},
      {"loop", "e210", 2, Flow::branch, 0x1012},
      {"jrcxz", "e310", 2, Flow::branch, 0x1012},
      {"xbegin", "c7f810000000", 6, Flow::branch, 0x1016},
      {"jmp to a register", "3effe0", 3, Flow::indirect, 0},
      {"jmp through the GOT", "ff2510000000", 6, Flow::stop, 0},
      {"jmp through memory", "ff20", 2, Flow::indirect, 0},
      {"ret", "c3", 1, Flow::stop, 0},
      {"ud2", "0f0b", 2, Flow::stop, 0},
      {"hlt", "f4", 1, Flow::stop, 0},
      {"int3", "cc", 1, Flow::stop, 0},
      {"AVX", "c5f877", 3, Flow::next, 0},
      {"AVX-512", "62f1fd4828c0", 6, Flow::next, 0},
      {"rdsspq, as getcontext has it", "f3480f1ec8", 5, Flow::next, 0},
      {"rstorssp", "f30f016c3ef8", 6, Flow::next, 0},
      {"saveprevssp", "f30f01ea", 4, Flow::next, 0},
      {"incsspq", "f3480faee8", 5, Flow::next, 0},
      {"wrfsbase", "f3480faed0", 5, Flow::next, 0},
      {"a TLS call's odd prefixes", "66 66 48 e810000000", 8, Flow::call, 0x1018},
  }));
  DYNAMIC_SECTION(row.name) {
    const auto code = hex(row.code);
    const auto insn = decode(code, 0x1000);
    REQUIRE(insn);
    CHECK(insn->length == row.length);
    CHECK(insn->flow == row.flow);
    CHECK(insn->has_target == (row.target != 0));
    CHECK(insn->target == row.target);
    CHECK_FALSE(insn->is_syscall);
  }
}

TEST_CASE("bytes that two makers of CPUs read differently are no instruction", "[rewriter][insn]") {
  CHECK_FALSE(decode(hex("66 e9 10000000 00"), 0));
  CHECK_FALSE(decode(hex("06"), 0));
  CHECK_FALSE(decode(hex("48 8b 05 00"), 0));
  CHECK_FALSE(decode({}, 0));
}

TEST_CASE("what depends on its own address does not move", "[rewriter][insn]") {
  const auto [code, movable] = GENERATE(table<const char*, bool>({
      {"b827000000", true},
      {"488b0510000000", true},
      {"488d0510000000", true},
      {"50", true},
      {"6a01", true},
      {"64488b042528000000", true},
      {"f3a4", true},
      {"90", true},
      {"0f05", false},
      {"c3", false},
      {"e800000000", false},
      {"7500", false},
      {"eb00", false},
      {"ffe0", false},
      {"e200", false},
      {"f30f1efa", false},
      {"cc", false},
      {"0f0b", false},
      {"cd80", false},
      {"f4", false},
      {"67488b0510000000", false},
      {"f0480fb10f", false},
      {"c7f810000000", false},
      {"b8270000", false},
  }));
  DYNAMIC_SECTION(code) { CHECK(is_movable(hex(code)) == movable); }
}

TEST_CASE("a moved operand points where it did", "[rewriter][insn]") {
  const auto code = hex("488b0510000000");
  uint8_t moved[7];
  SECTION("in reach") {
    REQUIRE(try_relocate(code, 0x1000, moved, 0x5000));
    CHECK(std::vector<uint8_t>(moved, moved + 7) == hex("488b0510c0ffff"));
  }
  SECTION("out of reach") { CHECK_FALSE(try_relocate(code, 0x1000, moved, 0x1'0000'0000)); }
  SECTION("with an immediate behind the displacement") {
    uint8_t longer[10];
    REQUIRE(try_relocate(hex("c70510000000 01000000"), 0x1000, longer, 0x1100));
    CHECK(std::vector<uint8_t>(longer, longer + 10) == hex("c70510ffffff 01000000"));
  }
}

TEST_CASE("padding is int3 or whole nops", "[rewriter][insn]") {
  CHECK(is_padding(hex("cccccc 90 6690 0f1f00 660f1f840000000000 662e0f1f840000000000")));
  CHECK_FALSE(is_padding(hex("90 00")));
  CHECK_FALSE(is_padding(hex("90 f30f1efa")));
  CHECK_FALSE(is_padding(hex("0f1f")));
}
