#include "formats/read/clock.h"
#include "tests/support/catch.h"

using namespace sctrace;
using read::Clock;
using Pairs = std::vector<Clock::Pair>;

TEST_CASE("two anchors make a clock", "[read][clock]") {
  const Clock clock(Pairs{
      {{1000, 50'000'000, 90'000'000}, {1000 + 20'000'000, 60'000'000, 100'000'000}}});  // 2 a ns
  CHECK_FALSE(clock.is_uncertain());
  CHECK(clock.ns(1000) == 50'000'000);
  CHECK(clock.ns(3000) == 50'001'000);
  CHECK(clock.ns(0) == 49'999'500);
  CHECK(clock.realtime_offset() == 40'000'000);
}

TEST_CASE("short images share their anchors", "[read][clock]") {
  const Clock clock(
      Pairs{{{1000, 1'000'000, 1'000'000}, {}}, {{1000 + 30'000'000, 11'000'000, 11'000'000}, {}}});
  CHECK_FALSE(clock.is_uncertain());
  CHECK(clock.ns(1000 + 3'000'000) == 2'000'000);
}

TEST_CASE("a short run is long enough for its own times", "[read][clock]") {
  CHECK_FALSE(Clock(Pairs{{{1000, 1'000'000, 0}, {301'000, 1'100'000, 0}}}).is_uncertain());
  CHECK(Clock(Pairs{{{1000, 1'000'000, 0}, {298'000, 1'099'000, 0}}}).is_uncertain());
}

TEST_CASE("without two anchors durations are a guess, and said to be", "[read][clock]") {
  CHECK(Clock(Pairs{}).is_uncertain());
  const Clock clock(Pairs{{{1000, 5'000, 6'000}, {}}});
  CHECK(clock.is_uncertain());
  CHECK(clock.ns(1000) == 5'000);
}

TEST_CASE("anchors that cannot be true are not believed, and no stamp overflows", "[read][clock]") {
  const Clock clock(Pairs{{{1000, 50'000'000, 0}, {~uint64_t{0}, 60'000'000, 0}},
                          {{2000, 1'000'000, 0}, {2000 + 10'000'000, 6'000'000, 0}}});
  CHECK_FALSE(clock.is_uncertain());
  CHECK(clock.ns(4000) == 1'001'000);
  CHECK(clock.ns(~uint64_t{0}) == 9'000'000'000'000'000'000);
}

TEST_CASE("whole numbers say what a long double would", "[read][clock]") {
  // An odd rate, and one of a whole number of ns where each product lies next to a whole number.
  const uint64_t span = GENERATE(23'456'789'123u, 20'000'000'000u, 4'000'000'003u, 9'999'999'999u);
  constexpr uint64_t base_tsc = 1'000'000'000'000, base_ns = 7'000'000'000, length = 10'000'000'000;
  const Clock clock(Pairs{{{base_tsc, base_ns, 0}, {base_tsc + span, base_ns + length, 0}}});
  const long double ns_per_tick =
      1 / (static_cast<long double>(span) / static_cast<long double>(length));
  uint64_t differing = 0, stamp = 88172645463325252;
  for (int n = 0; n < 300'000; ++n) {
    stamp ^= stamp << 13, stamp ^= stamp >> 7, stamp ^= stamp << 17;
    const uint64_t ticks = n % 2 ? stamp >> (1 + n % 63) : static_cast<uint64_t>(n) * span / 1000;
    const long double away = static_cast<long double>(ticks) * ns_per_tick;
    if (ticks > ~base_tsc || away > 8e18L) continue;
    differing += clock.ns(base_tsc + ticks) != base_ns + static_cast<uint64_t>(away);
    if (ticks <= base_tsc && away < static_cast<long double>(base_ns))
      differing += clock.ns(base_tsc - ticks) != base_ns - static_cast<uint64_t>(away);
  }
  CHECK(differing == 0);
}
