#include "formats/read/endings.h"
#include "tests/support/catch.h"

#include <cstring>

#include "arch/table.h"

using namespace sctrace;
using namespace sctrace::arch;

namespace {

read::Call call(uint32_t pid, uint32_t nr, std::initializer_list<uint64_t> args, int64_t result) {
  read::Call one;
  one.pid = one.tid = pid;
  one.nr = nr;
  one.ended = true;
  one.result = result;
  for (uint64_t a : args) one.args[one.argc++] = a;
  return one;
}

read::Call wait(int64_t child, uint32_t status) {
  read::Call one = call(7, nr_wait4, {~0ull, 100, 0, 0}, child);
  read::Piece& piece = one.memory.emplace_back();
  piece.address = 100, piece.out = true, piece.wanted = 4;
  piece.bytes.resize(4);
  std::memcpy(piece.bytes.data(), &status, 4);
  return one;
}

}  // namespace

TEST_CASE("a wait tells which signal killed a child", "[read][endings]") {
  read::Endings endings;
  endings.enter(call(8, nr_pause, {}, 0));
  SECTION("once") {
    const auto told = endings.leave(wait(8, 9));
    REQUIRE(told.size() == 1);
    CHECK(told[0].pid == 8);
    CHECK(told[0].signal == 9);
    CHECK(endings.leave(wait(8, 9)).empty());
  }
  SECTION("and of the core") { CHECK(endings.leave(wait(8, 0x8b)).at(0).core); }
  SECTION("unless it ended by itself") { CHECK(endings.leave(wait(8, 0x300)).empty()); }
  SECTION("or only stopped") { CHECK(endings.leave(wait(8, 0x137f)).empty()); }
  SECTION("and nothing of a process that the trace does not hold") {
    CHECK(endings.leave(wait(9, 9)).empty());
  }
}

TEST_CASE("a signal to oneself as the last call was deadly", "[read][endings]") {
  read::Endings endings;
  const auto sent = call(7, nr_tgkill, {7, 7, 6}, 0);
  endings.enter(sent);
  SECTION("when it did not come back") {
    REQUIRE(endings.at_end().size() == 1);
    CHECK(endings.at_end()[0].signal == 6);
  }
  SECTION("not when it did") {
    endings.leave(sent);
    CHECK(endings.at_end().empty());
  }
  SECTION("not when the process ended otherwise") {
    endings.gone(7);
    CHECK(endings.at_end().empty());
  }
  SECTION("not when it kills nobody by default") {
    read::Endings others;
    others.enter(call(7, nr_kill, {7, 17}, 0));
    CHECK(others.at_end().empty());
  }
}
