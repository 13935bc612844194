#include "formats/counts.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "formats/counts_columns.h"
#include "formats/counts_table.h"
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
  CHECK(counts_of(counts.by_number(), Column::total, columns_named(usual_columns)) ==
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

TEST_CASE("few durations and many are told by the same steps", "[formats][counts]") {
  const size_t many = GENERATE(1, 2, 63, 64, 65, 66, 130, 1000);
  std::vector<uint64_t> all;
  Latencies whole, one, other;
  for (size_t n = 0; n < many; ++n) {
    all.push_back((n * 7919 % 1000) * (n % 5 ? 1 : 1'000'000));
    whole.add(all.back());
    (n % 3 ? one : other).add(all.back());
  }
  one.add(other);
  std::sort(all.begin(), all.end());
  CHECK(one.steps() == whole.steps());
  size_t next = 0;
  std::string wrong;
  for (size_t step = 0; step < whole.steps().size(); ++step) {
    size_t here = 0;
    while (next < many && all[next] <= Latencies::step_end(step)) ++next, ++here;
    if (here != whole.steps()[step]) wrong += " step " + std::to_string(step);
  }
  for (const double q : {0.0, 0.25, 0.5, 0.9, 0.99, 1.0}) {
    const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(many)));
    const uint64_t exact = all[std::max<size_t>(rank, 1) - 1];
    for (const Latencies* told : {&whole, &one})
      if (told->quantile(q) < exact || told->quantile(q) > exact + exact / 128)
        wrong += " quantile " + std::to_string(q);
  }
  CHECK(next == many);
  CHECK(wrong == "");
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

TEST_CASE("a histogram has a bar for each doubling, and what is there is seen",
          "[formats][counts]") {
  Count row;
  row.name = "read";
  for (int i = 0; i < 200; ++i) row.add(arch::nr_read, 1, 100);
  row.add(arch::nr_read, 1, 300);
  CHECK(histogram_text(row) ==
        "read: 201 calls\n"
        "      64 ns to    128 ns        200 |" +
            std::string(50, '#') +
            "\n"
            "     128 ns to    256 ns          0 |\n"
            "     256 ns to    512 ns          1 |#\n");
}

TEST_CASE("sums of rows are those of all calls", "[formats][counts]") {
  Count a, b;
  a.add(arch::nr_read, 10, 100), a.add(arch::nr_read, -11, 50);
  b.add(arch::nr_read, -11, 500);
  const Count all = sum_of({a, b});
  CHECK(all.calls == 3);
  CHECK(all.errors_by == std::map<uint32_t, uint64_t>{{11, 2}});
  CHECK(all.bytes == 10);
  CHECK(all.latencies.min() == 50);
  CHECK(all.latencies.max() == 500);
  CHECK(all.latencies.total() == 650);
}
