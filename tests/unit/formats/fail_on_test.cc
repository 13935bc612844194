#include "formats/fail_on.h"

#include <stdexcept>

#include "arch/table.h"
#include "tests/support/catch.h"

using namespace sctrace;

namespace {

Count calls(int n, uint64_t ns, int errors = 0) {
  Count all;
  for (int i = 0; i < n; ++i)
    all.add(arch::nr_read, i < errors ? -11 : 0, ns + static_cast<uint64_t>(i) % 16);
  return all;
}

Diff diff(const Count& a, const Count& b) {
  Diff d;
  d.rows = {{"read", a, b, noise_between(a, b)}};
  d.total = {"total", a, b, noise_between(a, b)};
  return d;
}

size_t lines(const char* condition, const Diff& d) {
  return broken(condition_of(condition), d).size();
}

std::string refusal(const char* text) {
  try {
    condition_of(text);
  } catch (const std::invalid_argument& wrong) {
    return wrong.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a change is held against its limit, in percent or as it is", "[formats][fail_on]") {
  const Diff slower = diff(calls(1000, 1000), calls(1000, 1300));
  CHECK(lines("p99>+10%", slower) == 2);  // the call, and all together
  CHECK(lines("p99>+50%", slower) == 0);
  CHECK(lines("read:p50>+10%", slower) == 1);
  CHECK(lines("total:p50>+200ns", slower) == 1);
  CHECK(lines("mean>+0.4us", slower) == 0);
  CHECK(lines("p99<-10%", slower) == 0);
  CHECK(lines("write:p99>+10%", slower) == 0);
}

TEST_CASE("without a sign it is the second run's own value", "[formats][fail_on]") {
  const Diff d = diff(calls(1000, 1000, 0), calls(1000, 1000, 1));
  CHECK(lines("read:errors>0", d) == 1);
  CHECK(lines("read:errors>=1", d) == 1);
  CHECK(lines("read:errors>1", d) == 0);
  CHECK(lines("read:max>2us", d) == 0);
  CHECK(lines("read:max>1us", d) == 1);
  CHECK(lines("read:calls<2000", d) == 1);
}

TEST_CASE("a change within noise breaks nothing", "[formats][fail_on]") {
  const Diff d = diff(calls(1000, 1000), calls(1010, 1000));
  CHECK(lines("calls>+0%", d) == 0);
  CHECK(lines("calls>+0", d) == 0);
  CHECK(lines("total>+0%", d) == 0);
}

TEST_CASE("a call that is new breaks a limit on calls, and none on times", "[formats][fail_on]") {
  const Diff d = diff(Count(), calls(100, 1000));
  CHECK(lines("read:calls>+10%", d) == 1);
  CHECK(lines("read:p99>+10%", d) == 0);
}

TEST_CASE("a broken limit names row, column and both values", "[formats][fail_on]") {
  const auto found =
      broken(condition_of("read:calls>+10%"), diff(calls(100, 1000), calls(400, 1000)));
  REQUIRE(found.size() == 1);
  CHECK(found[0] == "read: calls went from 100 to 400, +300.0 % (read:calls>+10%)");
}

TEST_CASE("what makes no sense is refused, and the column named", "[formats][fail_on]") {
  CHECK(refusal("p98>+10%").find("no column `p98`") != std::string::npos);
  CHECK(refusal("p99").find("no < or >") != std::string::npos);
  CHECK(refusal("p99>+10").find("column p99 is a time") != std::string::npos);
  CHECK(refusal("calls>+10ms").find("column calls is a number") != std::string::npos);
  CHECK(refusal("p99>+10x").find("`x` is no unit") != std::string::npos);
  CHECK(refusal("p99>fast").find("column p99 is no number") != std::string::npos);
  CHECK(refusal("p99>+nan%").find("is no number") != std::string::npos);
  CHECK(refusal(":p99>+1%").find("no call") != std::string::npos);
  CHECK(refusal("p99.9>=-10%").empty());
}
