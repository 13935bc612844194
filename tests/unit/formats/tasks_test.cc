#include "formats/read/tasks.h"
#include "tests/support/catch.h"

#include <cstring>

#include "arch/table.h"

using namespace sctrace;
using namespace sctrace::arch;
using wire::Began;

namespace {

read::Call call(uint32_t tid, uint32_t nr, std::initializer_list<uint64_t> args, int64_t result) {
  read::Call one;
  one.pid = one.tid = tid;
  one.nr = nr;
  one.ended = true;
  one.result = result;
  for (const uint64_t a : args) one.args[one.argc++] = a;
  return one;
}

read::Call with(read::Call one, uint64_t address, const void* bytes, size_t n, bool out = false) {
  read::Piece& piece = one.memory.emplace_back();
  piece.address = address, piece.out = out, piece.wanted = n;
  piece.bytes.resize(n);
  std::memcpy(piece.bytes.data(), bytes, n);
  return one;
}

read::Thread thread(uint32_t pid, uint32_t tid, Began began, uint32_t parent = 0) {
  return {pid, tid, parent, began, {}};
}

read::Tasks shell() {
  read::Tasks tasks;
  tasks.begin(thread(7, 7, Began::image), "/usr/bin/a-long-name-of-a-program");
  return tasks;
}

}  // namespace

TEST_CASE("a thread is called as its program, its maker, or as it says", "[read][tasks]") {
  read::Tasks tasks = shell();
  CHECK(tasks.name(7) == "a-long-name-of-");
  tasks.learn(call(7, nr_clone, {0x10000}, 8));
  CHECK(tasks.name(8) == "a-long-name-of-");
  tasks.learn(with(call(8, nr_prctl, {15, 0x5000}, 0), 0x5000, "worker", 7));
  CHECK(tasks.name(8) == "worker");
  tasks.begin(thread(7, 9, Began::clone, 8), "");
  CHECK(tasks.name(9) == "worker");
  CHECK(tasks.name(10).empty());
}

TEST_CASE("an execve renames its process when it comes back as another", "[read][tasks]") {
  read::Tasks tasks = shell();
  const read::Call refused = with(call(7, nr_execve, {0x5000, 0, 0}, -2), 0x5000, "/bin/none", 10);
  tasks.enter(refused), tasks.learn(refused);
  CHECK(tasks.name(7) == "a-long-name-of-");
  read::Call exec = with(call(7, nr_execve, {0x5000, 0, 0}, 0), 0x5000, "./script", 9);
  exec.ended = false;
  tasks.enter(exec);
  tasks.begin(thread(7, 7, Began::exec), "/bin/sh");
  CHECK(tasks.name(7) == "script");
  tasks.begin(thread(7, 7, Began::exec), "/bin/true");
  CHECK(tasks.name(7) == "true");
}

TEST_CASE("who was waited for has no name any more", "[read][tasks]") {
  constexpr uint32_t exited = 0, stopped = 0x137f;
  read::Tasks tasks = shell();
  tasks.learn(call(7, nr_fork, {}, 8));
  tasks.learn(with(call(7, nr_wait4, {8, 100, 2, 0}, 8), 100, &stopped, 4, true));
  CHECK(tasks.name(8) == "a-long-name-of-");
  tasks.learn(with(call(7, nr_wait4, {8, 100, 0, 0}, 8), 100, &exited, 4, true));
  CHECK(tasks.name(8).empty());
}
