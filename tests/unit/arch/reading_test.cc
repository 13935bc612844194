#include "arch/x86_64/reading.h"

#include <algorithm>
#include <vector>

#include "tests/support/catch.h"

using namespace sctrace::arch;

namespace {

// A clock that runs with the counter, two ticks a nanosecond, and takes as long as it is told.
struct Pretended {
  std::vector<uint64_t> takes;
  uint64_t tsc = 1000;
  size_t readings = 0;
  Reading read() {
    return read_clock([this] { return tsc; },
                      [this] {
                        const uint64_t half = takes[std::min(readings, takes.size() - 1)] / 2;
                        ++readings;
                        tsc += 2 * half;
                        return (tsc - half) / 2;
                      });
  }
};

}  // namespace

TEST_CASE("a clock is read with the stamp of its middle", "[arch][clock]") {
  Pretended clock{{300}};
  const Reading r = clock.read();
  CHECK(r.tsc == 1150);
  CHECK(r.ns == 1150 / 2);
  CHECK(clock.readings == 1);
}

TEST_CASE("a reading that was disturbed is taken again", "[arch][clock]") {
  Pretended clock{{30'000'000, 300}};
  const Reading r = clock.read();
  CHECK(r.tsc == 1000 + 30'000'000 + 150);
  CHECK(r.ns == r.tsc / 2);
  CHECK(clock.readings == 2);
}

TEST_CASE("where every reading is disturbed, the least disturbed counts", "[arch][clock]") {
  Pretended clock{{90'000, 50'000, 70'000}};
  const Reading r = clock.read();
  CHECK(r.tsc == 1000 + 90'000 + 25'000);
  CHECK(clock.readings == readings_most);
}
