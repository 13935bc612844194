#include "formats/read/alive.h"

#include "tests/support/catch.h"

using namespace sctrace;
using Catch::Matchers::Equals;
using wire::Began;

namespace {

read::Thread thread(uint32_t pid, uint32_t tid, Began began) { return {pid, tid, 0, began, {}}; }

read::Alive three() {
  read::Alive alive;
  alive.begin(thread(7, 7, Began::image));
  alive.begin(thread(7, 9, Began::clone));
  alive.begin(thread(7, 8, Began::clone));
  return alive;
}

using Tids = std::vector<uint32_t>;

}  // namespace

TEST_CASE("a process ends with its first thread, after all others", "[read][alive]") {
  read::Alive alive = three();
  CHECK_THAT(alive.end_others(7, 7), Equals(Tids{8, 9}));
  CHECK_THAT(alive.end_others(7, 7), Equals(Tids{}));
  CHECK(alive.end_process(7, 9) == 7);
  CHECK(alive.end_process(7, 9) == 9);  // of which nobody has heard
}

TEST_CASE("a thread that exits ends alone while others go on", "[read][alive]") {
  read::Alive alive = three();
  CHECK(alive.ends_alone(7, 9));
  CHECK_FALSE(alive.ends_alone(7, 9));
  CHECK_FALSE(alive.ends_alone(7, 7));  // waits for the others
  CHECK_FALSE(alive.ends_alone(5, 5));
  alive.begin(thread(6, 6, Began::fork));
  CHECK_FALSE(alive.ends_alone(6, 6));
  CHECK_THAT(alive.end_others(7, 7), Equals(Tids{8}));
}

TEST_CASE("an execve leaves the thread that made it, under the first one's number",
          "[read][alive]") {
  read::Alive alive = three();
  CHECK_THAT(alive.end_others(7, 8), Equals(Tids{9}));
  alive.begin(thread(7, 7, Began::exec));
  CHECK_THAT(alive.end_others(7, 7), Equals(Tids{}));
  CHECK(alive.end_process(7, 7) == 7);
}

TEST_CASE("a number that is used again has no threads of its last owner", "[read][alive]") {
  read::Alive alive = three();
  alive.begin(thread(7, 7, Began::vfork));
  CHECK_THAT(alive.end_others(7, 7), Equals(Tids{}));
}
