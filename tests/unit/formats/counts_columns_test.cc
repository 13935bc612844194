#include "formats/counts_columns.h"
#include "arch/table.h"
#include "tests/support/catch.h"

using namespace sctrace;
using Catch::Matchers::Equals;

namespace {

Counts some() {
  Counts counts;
  const auto made = [&](uint32_t nr, int64_t result, uint64_t ns) {
    read::Call call;
    call.nr = nr, call.result = result, call.finished = ns;
    counts.came_back(call);
  };
  made(arch::nr_read, 1, 3'000'000);
  made(arch::nr_close, -9, 500'000);
  made(arch::nr_close, 0, 500'000);
  return counts;
}

}  // namespace

TEST_CASE("the table of counts is strace's", "[formats][counts]") {
  CHECK_THAT(counts_of(some().by_number(), Column::share, columns_named(usual_columns)),
             Equals("% time     seconds  usecs/call     calls    errors syscall\n"
                    "------ ----------- ----------- --------- --------- ----------------\n"
                    " 75.00    0.003000        3000         1           read\n"
                    " 25.00    0.001000         500         2         1 close\n"
                    "------ ----------- ----------- --------- --------- ----------------\n"
                    "100.00    0.004000        1333         3         1 total\n"));
}

TEST_CASE("columns and order are chosen by any of their names", "[formats][counts]") {
  CHECK_THAT(counts_of(some().by_number(), column_named("syscall_name"),
                       columns_named("name,longest,min-time")),
             Equals("syscall           longest shortest\n"
                    "---------------- -------- --------\n"
                    "close            0.000500 0.000500\n"
                    "read             0.003000 0.003000\n"
                    "---------------- -------- --------\n"
                    "total            0.003000 0.000500\n"));
  CHECK_THROWS_AS(columns_named("calls,count"), std::invalid_argument);
  CHECK_THROWS_AS(column_named("colour"), std::invalid_argument);
}

TEST_CASE("nothing counted is no table", "[formats][counts]") {
  CHECK(counts_of({}, Column::share, columns_named(usual_columns)).empty());
}
