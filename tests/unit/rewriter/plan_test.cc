#include "rewriter/plan.h"
#include "tests/support/catch.h"

#include "rewriter/branches.h"
#include "tests/unit/rewriter/pretend.h"

using namespace sctrace::rewriter;
using sctrace::test::Planned;
using sctrace::test::Pretend;

namespace {
constexpr uint64_t base = 0x400000;
}

TEST_CASE("the first tactic that can be proven is taken", "[rewriter][plan]") {
  struct Row {
    const char* name;
    const char* code;
    Tactic tactic;
    uint64_t window;
    unsigned bytes;
  };
  const auto row = GENERATE(values<Row>({
      {"mov in front", "[b827000000 0f05 c3]", Tactic::mov, 0, 5},
      {"a branch to the site keeps mov", "[eb05 b827000000 0f05 c3]", Tactic::mov, 2, 5},
      {"a branch to the mov keeps mov", "[b827000000 0f05 75f7 c3]", Tactic::mov, 0, 5},
      {"mov comes before pad", "[b827000000 0f05 c3] cccccccccc [c3]", Tactic::mov, 0, 5},
      {"int3 behind the function", "[89f8 0f05 c3] cccccccccc [c3]", Tactic::pad, 5, 5},
      {"nop behind the function", "[89f8 0f05 c3] 660f1f440000 [c3]", Tactic::pad, 5, 5},
      {"padding in front of the function", "[c3] cccccccccccc [89f8 0f05 c3]", Tactic::pad, 1, 5},
      {"a branch to the site keeps pad", "[eb02 89f8 0f05 c3] cccccccccc [c3]", Tactic::pad, 7, 5},
      {"a 64-bit mov is not five bytes", "[48c7c00f000000 0f05 c3]", Tactic::before, 0, 7},
      {"the window takes whole instructions", "[31ff 31f6 89d0 0f05 c3]", Tactic::before, 0, 6},
      {"a branch to its start", "[eb00 31ff 31f6 89d0 0f05 c3]", Tactic::before, 2, 6},
      {"push and pop move", "[6a27 58 6690 0f05 c3]", Tactic::before, 0, 5},
      {"one long instruction cannot be entered", "[48c7c00f000000 0f05 ffe1]", Tactic::before, 0,
       7},
      {"instructions behind", "[0f05 483d00f0ffff c3]", Tactic::after, 0, 8},
      {"both sides: exit's loop", "[31ff 89d0 0f05 ebf8]", Tactic::after, 0, 6},
  }));
  DYNAMIC_SECTION(row.name) {
    const Pretend code(row.code);
    const Planned planned(code.object());
    REQUIRE(planned.plans.size() == 1);
    const Plan& plan = planned.plans[0];
    CHECK(std::string(name_of(plan.site.tactic)) == name_of(row.tactic));
    CHECK(plan.site.refusal == Refusal::none);
    CHECK(plan.window - base == row.window);
    CHECK(plan.window_bytes == row.bytes);
  }
}

TEST_CASE("a site that cannot be proven safe is left to the trap, with a reason",
          "[rewriter][plan]") {
  struct Row {
    const char* name;
    const char* code;
    Refusal refusal;
  };
  const auto row = GENERATE(values<Row>({
      {"no FDE", "0f05 [c3]", Refusal::no_function},
      {"behind a return that ends its FDE", "[31ff c3] 0f05 c3", Refusal::no_function},
      {"bytes that are no instruction", "[06 0f05 c3]", Refusal::undecodable},
      {"a prefix in front", "[48 0f05 c3]", Refusal::prefixed},
      {"branches on both sides", "[7402 7403 0f05 c3]", Refusal::unmovable},
      {"a return behind", "[c3 0f05 c3]", Refusal::unmovable},
      {"endbr64 stays", "[f30f1efa 90 0f05 c3]", Refusal::unmovable},
      {"locked instructions are jumped into", "[f0480fb10f 0f05 c3]", Refusal::unmovable},
      {"a branch behind the site", "[7402 7403 0f05 90 90 90 c3]", Refusal::branch_into_window},
      {"the function ends", "[0f05]", Refusal::function_end},
      {"an instruction that the function's end cuts", "[0f05 483d00] f0ffff90 [c3]",
       Refusal::function_end},
  }));
  DYNAMIC_SECTION(row.name) {
    const Pretend code(row.code);
    const Planned planned(code.object());
    REQUIRE(planned.plans.size() == 1);
    CHECK(planned.plans[0].site.tactic == Tactic::trap);
    CHECK(std::string(name_of(planned.plans[0].site.refusal)) == name_of(row.refusal));
  }
}

TEST_CASE("a branch into the window from anywhere refuses it", "[rewriter][plan]") {
  // The window would be 31ff 31f6 89d0; the branch goes to the last of the three, too near the site
  // for another.
  const auto [name, code] = GENERATE(table<const char*, const char*>({
      {"its own function, backwards", "[31ff 31f6 89d0 0f05 75fa c3]"},
      {"its own function, forwards", "[7404 31ff 31f6 89d0 0f05 c3]"},
      {"loop", "[31ff 31f6 89d0 0f05 e2fa c3]"},
      {"jrcxz", "[e304 31ff 31f6 89d0 0f05 c3]"},
      {"a far jump of another function", "[31ff 31f6 89d0 0f05 c3] 90 [e9f5ffffff]"},
      {"a conditional one", "[31ff 31f6 89d0 0f05 c3] 90 [0f84f4ffffff c3]"},
      {"a short jump of a neighbour", "[31ff 31f6 89d0 0f05 c3] 90 [ebf8]"},
      {"a short jump of bytes without an FDE", "[31ff 31f6 89d0 0f05 c3] ebf9 [c3]"},
      {"a jump through a register", "[31ff 31f6 89d0 0f05 ffe1]"},
      {"a jump through memory", "[31ff 31f6 89d0 0f05 ff26]"},
  }));
  DYNAMIC_SECTION(name) {
    const Pretend pretend(code);
    const Planned planned(pretend.object());
    REQUIRE(planned.plans.size() == 1);
    CHECK(planned.plans[0].site.tactic == Tactic::trap);
  }
}

TEST_CASE("padding is taken only when nobody can run it", "[rewriter][plan]") {
  const auto [name, code, tactic] = GENERATE(table<const char*, const char*, Tactic>({
      {"the function falls into it", "[89f8 0f05 75fa] cccccccccc [c3]", Tactic::trap},
      {"the function ends with a call", "[89f8 0f05 e800000000] 0f1f440000 [c3]", Tactic::trap},
      {"four bytes", "[89f8 0f05 c3] cccccccc [c3]", Tactic::trap},
      {"code in it", "[89f8 0f05 c3] 90909090909031c0 [c3]", Tactic::trap},
      {"nothing behind", "[89f8 0f05 c3] cccccccccc", Tactic::trap},
      {"jmp in front of it", "[89f8 0f05 ebfa] cccccccccc [c3]", Tactic::pad},
  }));
  DYNAMIC_SECTION(name) {
    const Pretend pretend(code);
    const Planned planned(pretend.object());
    REQUIRE(planned.plans.size() == 1);
    CHECK(std::string(name_of(planned.plans[0].site.tactic)) == name_of(tactic));
  }
}

TEST_CASE("two sites never share bytes", "[rewriter][plan]") {
  SECTION("what one window holds the other may not") {
    const Pretend code("[0f05 31ff31f690 0f05 c3]");
    const Planned planned(code.object());
    REQUIRE(planned.plans.size() == 2);
    CHECK(planned.plans[0].site.refusal == Refusal::overlap);
    CHECK(planned.plans[1].site.tactic == Tactic::before);
  }
  SECTION("each padding is used once") {
    const Pretend code("[89f8 0f05 89f8 0f05 c3] cccccccccc [c3]");
    const Planned planned(code.object());
    REQUIRE(planned.plans.size() == 2);
    CHECK(planned.plans[0].site.tactic == Tactic::pad);
    CHECK(planned.plans[1].site.tactic == Tactic::trap);
  }
  SECTION("a long padding serves two") {
    const Pretend code("[89f8 0f05 89f8 0f05 c3] cccccccccccccccccccc [c3]");
    const Planned planned(code.object());
    REQUIRE(planned.plans.size() == 2);
    CHECK(planned.plans[0].window == base + 9);
    CHECK(planned.plans[1].window == base + 14);
  }
  SECTION("a syscall beside a syscall") {
    const Pretend code("[31ff31f690 0f05 0f05 c3]");
    const Planned planned(code.object());
    REQUIRE(planned.plans.size() == 2);
    CHECK(planned.plans[0].site.tactic == Tactic::before);
    CHECK(planned.plans[1].site.refusal == Refusal::unmovable);
  }
}

TEST_CASE("0f 05 inside another instruction is no site", "[rewriter][sites]") {
  const Pretend code("[b80f050000 31c0 c3]");
  const Planned planned(code.object());
  CHECK(planned.plans.empty());
  CHECK(planned.report.candidates == 1);
  CHECK(planned.report.not_on_boundary == 1);
}

TEST_CASE("what a function falls into behind its FDE is code", "[rewriter][sites]") {
  // libc's clone: the FDE ends where the stack stops being what it says.
  const Pretend code("[31ff b838000000] 0f05 4885c0 c3 [31ed c3]");
  const Planned planned(code.object());
  REQUIRE(planned.plans.size() == 1);
  CHECK(planned.plans[0].site.tactic == Tactic::mov);
}

TEST_CASE("a landing pad is a branch target", "[rewriter][plan]") {
  Pretend code("[31ff 31f6 89d0 0f05 c3]");
  SECTION("elsewhere") {
    code.add_lsda("ff ff 01 04 00 06 08 00");
    const Planned planned(code.object());
    CHECK(planned.plans[0].site.tactic == Tactic::before);
  }
  SECTION("in the window") {
    code.add_lsda("ff ff 01 04 00 06 04 00");
    const Planned planned(code.object());
    CHECK(planned.plans[0].site.tactic == Tactic::trap);
  }
  SECTION("in a table that nobody understands") {
    code.add_lsda("ff ff 7f 04 00 06 08 00");
    const Planned planned(code.object());
    CHECK(planned.plans[0].site.tactic == Tactic::trap);
  }
}

TEST_CASE("a jump table says where its jump goes", "[rewriter][plan]") {
  // lea table(%rip),%rdx; movslq (%rdx,%rax,4),%rax; add %rdx,%rax; notrack jmp *%rax; the site
  // follows at 18
  const std::string code = "[488d15f91f2000 48630482 4801d0 3effe0 31ff 31f6 89d0 0f05 c3]";
  Pretend pretend(code);
  const uint64_t table = pretend.frames_address() + 0x2000;
  REQUIRE(table == base + 7 + 0x201ff9);
  const auto entry_to = [&](uint64_t offset) {
    const auto distance = static_cast<uint32_t>(base + offset - table);
    char text[9];
    std::snprintf(text, sizeof text, "%08x", __builtin_bswap32(distance));
    return std::string(text);
  };
  SECTION("to the window's start") {
    pretend.add_data(entry_to(17) + entry_to(23) + "00000000");
    CHECK(Planned(pretend.object()).plans[0].site.tactic == Tactic::before);
  }
  SECTION("into the window") {
    pretend.add_data(entry_to(17) + entry_to(21) + "00000000");
    CHECK(Planned(pretend.object()).plans[0].site.tactic == Tactic::trap);
  }
}

TEST_CASE("a budget that is used up refuses what is left", "[rewriter][sites]") {
  const Pretend code("[90 90 90 90 90 90 b827000000 0f05 c3]");
  std::vector<uint64_t> memory(4096);
  Region region{reinterpret_cast<uint8_t*>(memory.data()), memory.size() * 8, 0};
  Report report;
  Budget budget{3};
  const Object object = code.object();
  const auto plans = find_sites(object, Frames(object), region, budget, report);
  REQUIRE(plans.size() == 1);
  CHECK(plans[0].site.refusal == Refusal::too_much);
}

TEST_CASE("sites that the lent memory cannot hold are counted", "[rewriter][sites]") {
  std::string code = "[";
  for (int i = 0; i < 100; ++i) code += "b827000000 0f05";
  const Pretend pretend(code + " c3]");
  std::vector<uint64_t> memory(256);
  Region region{reinterpret_cast<uint8_t*>(memory.data()), memory.size() * 8, 0};
  Report report;
  const auto plans = plan_object(pretend.object(), region, report);
  CHECK(report.candidates == 100);
  CHECK(plans.size() + report.forgotten == 100);
  CHECK(report.forgotten > 0);
}

TEST_CASE("confirmed addresses are looked at without a scan", "[rewriter][sites]") {
  const Pretend code("[b827000000 0f05 b827000000 0f05 c3]");
  const uint64_t confirmed[] = {base + 12, base + 13};
  Object object = code.object();
  object.confirmed = confirmed;
  const Planned planned(object);
  REQUIRE(planned.plans.size() == 1);
  CHECK(planned.plans[0].site.address == base + 12);
}
