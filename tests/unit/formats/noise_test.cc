#include "formats/noise.h"

#include <random>

#include "arch/table.h"
#include "tests/support/catch.h"

using namespace sctrace;

namespace {

Count times(uint32_t seed, int n, double factor = 1, int errors = 0) {
  std::mt19937 random(seed);
  std::lognormal_distribution<double> spread(7, 0.6);  // around a microsecond, a long tail
  Count all;
  for (int i = 0; i < n; ++i)
    all.add(arch::nr_read, i < errors ? -11 : 0, static_cast<uint64_t>(spread(random) * factor));
  return all;
}

}  // namespace

TEST_CASE("two runs of the same thing differ by noise alone", "[formats][noise]") {
  int calls = 0, times_differ = 0, tail = 0;
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    const Noise n = noise_between(times(seed, 2000), times(seed + 1000, 2000));
    calls += n.calls, times_differ += n.times, tail += n.tail;
  }
  CHECK(calls == 0);
  CHECK(times_differ == 0);
  CHECK(tail <= 2);  // one in a thousand is let pass
}

TEST_CASE("calls that are a fifth slower are told from noise", "[formats][noise]") {
  const Noise n = noise_between(times(1, 2000), times(2, 2000, 1.2));
  CHECK(n.times);
  CHECK(n.slower > 0.5);
  CHECK_FALSE(n.calls);
  CHECK(noise_between(times(1, 2000, 1.2), times(2, 2000)).slower < 0.5);
}

TEST_CASE("a difference too small to matter is none, however many calls show it",
          "[formats][noise]") {
  const Noise n = noise_between(times(1, 200'000), times(2, 200'000, 1.03));
  CHECK(n.times_z > noise_z);
  CHECK_FALSE(n.times);
}

TEST_CASE("a slow tail shows where the middle is the same", "[formats][noise]") {
  Count b = times(2, 1950);
  for (int i = 0; i < 50; ++i) b.add(arch::nr_read, 0, 1'000'000);
  const Noise n = noise_between(times(1, 2000), b);
  CHECK(n.tail);
  CHECK_FALSE(n.times);
}

TEST_CASE("calls and errors are told from noise by their numbers", "[formats][noise]") {
  CHECK(noise_between(times(1, 1000), times(2, 1200)).calls);
  CHECK_FALSE(noise_between(times(1, 1000), times(2, 1040)).calls);
  CHECK(noise_between(times(1, 1000, 1, 10), times(2, 1000, 1, 60)).errors);
  CHECK_FALSE(noise_between(times(1, 1000, 1, 10), times(2, 1000, 1, 14)).errors);
}

TEST_CASE("a handful of calls says nothing about times", "[formats][noise]") {
  const Noise n = noise_between(times(1, 5), times(2, 5, 100));
  CHECK_FALSE(n.times);
  CHECK_FALSE(n.tail);
  CHECK_FALSE(noise_between(Count(), Count()).any());
  CHECK(noise_between(Count(), times(1, 100)).calls);
}

TEST_CASE("times that are all the same are no reason to divide by nothing", "[formats][noise]") {
  Count a, b;
  for (int i = 0; i < 100; ++i) a.add(arch::nr_read, 0, 500), b.add(arch::nr_read, 0, 500);
  const Noise n = noise_between(a, b);
  CHECK(n.slower == 0.5);
  CHECK_FALSE(n.any());
}
