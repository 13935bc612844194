#include "formats/groups.h"

#include "arch/table.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using test::ScratchTrace;
using wire::Began;

namespace {

std::vector<Count> rows_of(ScratchTrace& scratch, GroupKey key, Count* total = nullptr) {
  const read::Trace trace(scratch.write());
  Groups groups(key, trace);
  read::Timeline timeline(trace);
  for (read::Item item; timeline.next(item);) groups.add(item);
  if (total) *total = groups.total();
  return groups.rows();
}

const Count& row(const std::vector<Count>& rows, const std::string& name) {
  for (const Count& one : rows)
    if (one.name == name) return one;
  static const Count none;
  return none;
}

}  // namespace

TEST_CASE("calls are counted by the file that they name or reach", "[formats][groups]") {
  ScratchTrace scratch;
  scratch.image(7)
      .ring(7, Began::image)
      .entry(nr_openat, {0xffffff9c, 0x5000, 0})
      .in(0x5000, std::string_view("/etc/hosts\0", 11))
      .exit(3)
      .entry(nr_read, {3, 0x6000, 8})
      .out(0x6000, "abcd")
      .exit(4)
      .call(nr_close, {3}, 0)
      .call(nr_getpid, {}, 7)
      .call(nr_read, {3, 0x6000, 8}, -9);
  Count total;
  const auto rows = rows_of(scratch, GroupKey::path, &total);
  CHECK(row(rows, "/etc/hosts").calls == 3);
  CHECK(row(rows, "/etc/hosts").bytes == 4);
  CHECK(row(rows, std::string(no_group)).calls == 2);  // no file, and a descriptor of nothing
  CHECK(total.calls == 5);
  CHECK(total.errors_by.at(9) == 1);
}

TEST_CASE("calls are counted by error, and the others apart", "[formats][groups]") {
  ScratchTrace scratch;
  scratch.image(7)
      .ring(7, Began::image)
      .call(nr_close, {9}, -9)
      .call(nr_close, {9}, -9)
      .call(nr_getpid, {}, 7)
      .entry(nr_pause);
  const auto rows = rows_of(scratch, GroupKey::error);
  CHECK(row(rows, "EBADF").calls == 2);
  CHECK(row(rows, "EBADF").errors == 2);
  CHECK(row(rows, std::string(no_group)).calls == 1);
  CHECK(row(rows, std::string(no_group)).unfinished == 1);
}

TEST_CASE("clearing keeps what is open", "[formats][groups]") {
  ScratchTrace scratch;
  scratch.image(7).ring(7, Began::image).call(nr_getpid, {}, 7).call(nr_close, {9}, -9);
  const read::Trace trace(scratch.write());
  Groups groups(GroupKey::syscall, trace);
  read::Timeline timeline(trace);
  for (read::Item item; timeline.next(item);) {
    groups.add(item);
    if (item.kind == read::Item::Kind::enter) groups.clear();
  }
  CHECK(groups.total().calls == 1);
  CHECK(groups.total().unfinished == 0);
  REQUIRE(groups.rows().size() == 1);
  CHECK(groups.rows()[0].name == "close");
}
