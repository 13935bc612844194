#include "formats/counts.h"
#include "tests/support/catch.h"

#include "arch/table.h"

using namespace sctrace;

namespace {
void made(Counts& counts, uint32_t nr, int64_t result, uint64_t ns) {
  read::Call call;
  call.nr = nr;
  read::Item item;
  item.call = &call;
  counts.add(item);
  call.ended = true;
  call.result = result;
  call.began = 1000, call.finished = 1000 + ns;
  item.kind = read::Item::Kind::leave;
  counts.add(item);
}
}  // namespace

TEST_CASE("the table has strace's columns, longest time first", "[formats][counts]") {
  Counts counts;
  made(counts, arch::nr_getpid, 7, 500'000);
  made(counts, arch::nr_close, -9, 1'500'000);
  CHECK(counts_table(counts.rows(), SortKey::time, false) ==
        "% time     seconds  usecs/call     calls    errors syscall\n"
        "------ ----------- ----------- --------- --------- ----------------\n"
        " 75.00    0.001500        1500         1         1 close\n"
        " 25.00    0.000500         500         1           getpid\n"
        "------ ----------- ----------- --------- --------- ----------------\n"
        "100.00    0.002000        1000         2         1 total\n");
}

TEST_CASE("quantiles are within one part in 128, the longest is exact", "[formats][counts]") {
  Latencies slow;
  for (uint64_t n = 1; n <= 1000; ++n) slow.add(n * 1000);
  CHECK(slow.max() == 1'000'000);
  CHECK(slow.quantile(0.5) >= 500'000);
  CHECK(slow.quantile(0.5) <= 504'000);
  CHECK(slow.quantile(0.99) >= 990'000);
  CHECK(slow.quantile(1) == 1'000'000);
  CHECK(Latencies().quantile(0.5) == 0);
}

TEST_CASE("a call that has not come back is unfinished and counts no time", "[formats][counts]") {
  Counts counts;
  read::Call call;
  call.nr = arch::nr_read;
  read::Item item;
  item.call = &call;
  counts.add(item);
  REQUIRE(counts.rows().size() == 1);
  CHECK(counts.rows()[0].calls == 0);
  CHECK(counts.rows()[0].unfinished == 1);
}
