#include "rewriter/cache.h"
#include "tests/support/catch.h"

#include "tests/unit/rewriter/elf_file.h"
#include "tests/unit/rewriter/executed.h"

using namespace sctrace::rewriter;
using namespace sctrace::test;

namespace {

// One site a tactic, and one that is left to the trap.
const char five_sites[] =
    "[b827000000 0f05 c3] cccccccccccc [89c0 0f05 c3] cccccccccccccccccccccccc"
    "[4889f6 4889ff 89c0 0f05 c3] [0f05 488d7f00 c3] [0f05 c3]";

const std::vector<uint8_t> name = hex("0102030405060708090a");

struct Kept {
  std::vector<uint64_t> memory = std::vector<uint64_t>(1 << 17);
  Region region{reinterpret_cast<uint8_t*>(memory.data()), memory.size() * 8, 0};
  std::vector<uint8_t> file;

  Kept(const Object& object, std::span<const Plan> plans, const Report& report) {
    const auto bytes = keep_plans(name, object.text, plans, report, region);
    file.assign(bytes.begin(), bytes.end());
  }
  bool opens(const Object& object) const {
    return KeptPlans::open(file, name, object.text).has_value();
  }
};

bool is_same(const Plan& a, const Plan& b) {
  return a.site.address == b.site.address && a.site.tactic == b.site.tactic &&
         a.site.refusal == b.site.refusal && a.window == b.window &&
         a.window_bytes == b.window_bytes;
}

bool are_same(std::span<const Plan> a, std::span<const Plan> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), is_same);
}

}  // namespace

TEST_CASE("kept plans are the plans, wherever the text lies now", "[rewriter][cache]") {
  const Pretend code(five_sites), elsewhere(five_sites, 0x7f00'0000'0000);
  const Planned planned(code.object()), moved(elsewhere.object());
  REQUIRE(planned.plans.size() == 5);
  Kept kept(code.object(), planned.plans, planned.report);
  const Bytes text = elsewhere.object().text;
  const auto opened = KeptPlans::open(kept.file, name, text);
  REQUIRE(opened);
  CHECK(opened->match(text));
  Report report;
  const auto plans = opened->plans(text, kept.region, report);
  REQUIRE(plans);
  CHECK(are_same(*plans, moved.plans));
  CHECK(report.candidates == planned.report.candidates);
  CHECK(report.not_on_boundary == planned.report.not_on_boundary);
}

TEST_CASE("libc's plans come back whole", "[rewriter][cache]") {
  const ElfFile libc(libc_path);
  if (libc.image.empty()) return;
  std::vector<uint64_t> memory(1 << 20);
  Region region{reinterpret_cast<uint8_t*>(memory.data()), memory.size() * 8, 0};
  Report report, again;
  const Object object = libc.object();
  const auto planned = plan_object(object, region, report);
  const auto file = keep_plans(name, object.text, planned, report, region);
  const auto opened = KeptPlans::open(file, name, object.text);
  REQUIRE(opened);
  CHECK(opened->match(object.text));
  CHECK(are_same(*opened->plans(object.text, region, again), planned));
}

TEST_CASE("a torn file is none, wherever it was torn", "[rewriter][cache]") {
  const Pretend code(five_sites);
  const Planned planned(code.object());
  Kept kept(code.object(), planned.plans, planned.report);
  REQUIRE(kept.opens(code.object()));
  unsigned taken = 0;
  const auto whole = kept.file;
  for (size_t size = 0; size < whole.size(); ++size) {
    kept.file.assign(whole.begin(), whole.begin() + size);
    taken += kept.opens(code.object());
  }
  kept.file = whole, kept.file.push_back(0);
  taken += kept.opens(code.object());
  CHECK(taken == 0);
}

TEST_CASE("a file with any bit turned is none", "[rewriter][cache]") {
  const Pretend code(five_sites);
  const Planned planned(code.object());
  Kept kept(code.object(), planned.plans, planned.report);
  unsigned taken = 0;
  for (size_t bit = 0; bit < kept.file.size() * 8; ++bit) {
    kept.file[bit / 8] ^= 1 << bit % 8;
    taken += kept.opens(code.object());
    kept.file[bit / 8] ^= 1 << bit % 8;
  }
  CHECK(taken == 0);
}

TEST_CASE("plans of another file are none", "[rewriter][cache]") {
  const Pretend code(five_sites);
  const Planned planned(code.object());
  const Kept kept(code.object(), planned.plans, planned.report);
  const auto other = GENERATE("0102030405060708090b", "01020304050607080900", "010203040506070809",
                              "0102030405060708090a00", "");
  CHECK_FALSE(KeptPlans::open(kept.file, hex(other), code.object().text));
}

TEST_CASE("plans whose bytes are not those in memory don't match", "[rewriter][cache]") {
  Pretend code(five_sites);
  const Planned planned(code.object());
  const Kept kept(code.object(), planned.plans, planned.report);
  const auto opened = KeptPlans::open(kept.file, name, code.object().text);
  REQUIRE(opened);
  unsigned matched = 0, looked_at = 0;
  for (const Plan& plan : planned.plans) {
    std::vector<uint64_t> places = {plan.site.address, plan.site.address + 1};
    for (unsigned i = 0; i < plan.window_bytes; ++i) places.push_back(plan.window + i);
    for (const uint64_t place : places) {
      code.text[place - code.address] ^= 1;
      matched += opened->match(code.object().text);
      code.text[place - code.address] ^= 1;
      ++looked_at;
    }
  }
  CHECK(looked_at == 30);
  CHECK(matched == 0);
}

TEST_CASE("rows that no planner writes are none", "[rewriter][cache]") {
  const Pretend code(five_sites);
  const Planned planned(code.object());
  std::vector<Plan> plans(planned.plans.begin(), planned.plans.end());
  Report report = planned.report;
  REQUIRE(Kept(code.object(), plans, report).opens(code.object()));
  SECTION("sites out of order") { std::swap(plans[0], plans[1]); }
  SECTION("a site twice") { plans[1] = plans[0]; }
  SECTION("a site behind the text") { plans[4].site.address = code.address + code.text.size() - 1; }
  SECTION("a window in front of the text") { plans[0].window = code.address - 1; }
  SECTION("a window behind the text") { plans[3].window_bytes = window_max; }
  SECTION("a mov elsewhere") { plans[0].window += 1; }
  SECTION("a longer mov") { plans[0].window_bytes = 7; }
  SECTION("too small a window") { plans[2].window = plans[2].site.address - 4; }
  SECTION("padding over its own site") { plans[1].window = plans[1].site.address - 4; }
  SECTION("padding over another site") { plans[1].window = plans[0].site.address - 3; }
  SECTION("padding over another window") { plans[1].window = plans[2].window - 2; }
  SECTION("padding out of reach") { plans[1].window = plans[1].site.address + 130; }
  SECTION("a window over the next site") { plans[3].window_bytes = 9; }
  SECTION("a tactic and a refusal") { plans[2].site.refusal = Refusal::changed; }
  SECTION("neither") { plans[4].site.refusal = Refusal::none; }
  SECTION("no such tactic") { plans[4].site.tactic = Tactic(tactic_count); }
  SECTION("no such refusal") { plans[4].site.refusal = Refusal(refusal_count); }
  SECTION("more candidates than sites") { report.candidates += 1; }
  CHECK_FALSE(Kept(code.object(), plans, report).opens(code.object()));
}

TEST_CASE("plans that lack sites are not kept", "[rewriter][cache]") {
  const Pretend code(five_sites);
  Planned planned(code.object());
  planned.report.forgotten = 1;
  CHECK(Kept(code.object(), planned.plans, planned.report).file.empty());
}

// --- as rewrite() uses them ---

namespace {
std::vector<uint8_t> shelf;
unsigned times_put;

constexpr PlanStore store = {[](size_t, Region&) {
                               return PlanStore::Kept{name, shelf};
                             },
                             [](size_t, std::span<const uint8_t> file) {
                               shelf.assign(file.begin(), file.end());
                               ++times_put;
                             }};

struct Process {
  Rewritten rewritten;
  explicit Process(const Object& object, bool alone) {
    Region region{reinterpret_cast<uint8_t*>(rewritten.memory.data()), rewritten.memory.size() * 8,
                  0};
    rewritten.count =
        rewrite({&object, 1}, object.text.address, region, rewritten.table, rewritten.left,
                rewritten.left_count, rewritten.report, alone, &store);
  }
};
}  // namespace

TEST_CASE("the second process patches what the first one planned", "[rewriter][cache]") {
  const bool alone = GENERATE(true, false);
  const auto code = std::string(five_sites);
  shelf.clear(), times_put = 0;
  std::vector<uint8_t> patched[2];
  std::vector<uint8_t> text;
  for (auto& bytes : patched) {
    const Mapped mapped(code);
    const Process process(mapped.object(), alone);
    CHECK(process.rewritten.count == 4);
    CHECK(process.rewritten.left_count == 1);
    for (uint32_t i = 0; i < process.rewritten.count; ++i) {
      const Stub& stub = process.rewritten.table[i];
      CHECK(stub.patched);
      bytes.insert(bytes.end(), stub.original, stub.original + sizeof stub.original);
    }
    CHECK(undo(0, ~0ull) == 0);
    CHECK(mapped.is_original());
  }
  CHECK(times_put == 1);
  CHECK(patched[0] == patched[1]);
}

TEST_CASE("a file that is not right is planned over", "[rewriter][cache]") {
  const bool alone = GENERATE(true, false);
  shelf.clear();
  { const Process first(Mapped(five_sites).object(), alone); }
  SECTION("torn") { shelf.pop_back(); }
  SECTION("something else") { shelf.assign(100, 'x'); }
  SECTION("for other bytes") {
    const Mapped other("[b828000000 0f05 c3] cccccccccccc [89c0 0f05 c3]");
    shelf.clear();
    const Process process(other.object(), alone);
  }
  times_put = 0;
  const Mapped mapped(five_sites);
  const Process second(mapped.object(), alone);
  CHECK(times_put == 1);
  CHECK(second.rewritten.count == 4);
}
