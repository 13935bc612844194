#include "formats/read/timeline.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include "arch/table.h"
#include "formats/read/trace.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using Catch::Matchers::Equals;
using test::ScratchTrace;
using wire::Began;

namespace {

// One item in a line, so that whole timelines are compared as text.
std::string shown(const read::Item& item) {
  const std::string who = fmt::format("{}.{} ", item.pid, item.tid);
  const auto name = [&] { return std::string(lookup(item.call->nr).name); };
  switch (item.kind) {
    case read::Item::Kind::enter: return who + name() + "\n";
    case read::Item::Kind::leave: return who + name() + fmt::format(" = {}\n", item.call->result);
    case read::Item::Kind::signal: return who + fmt::format("signal {}\n", item.signal->siginfo[0]);
    case read::Item::Kind::thread:
      return who + fmt::format("began {} of {}\n", static_cast<int>(item.thread->began),
                               item.thread->parent);
    case read::Item::Kind::lost: return who + fmt::format("lost {}\n", item.lost);
    case read::Item::Kind::ending: return who + "ending\n";
    case read::Item::Kind::gone: return who + fmt::format("gone {}\n", item.call->args[0]);
  }
  return "?";
}

struct Told {
  std::string text;
  read::Losses losses;
  bool in_order = true;
};

Told told(const std::string& directory) {
  const read::Trace trace(directory);
  read::Timeline timeline(trace);
  Told all;
  uint64_t last = 0;
  for (read::Item item; timeline.next(item); last = item.when) {
    all.text += shown(item);
    all.in_order = all.in_order && item.when >= last;
  }
  all.losses = timeline.losses();
  return all;
}

}  // namespace

TEST_CASE("a call comes back with its arguments, memory, site, door and times",
          "[read][timeline]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  const uint16_t site = image.site(0x401234);
  image.ring(7, Began::image)
      .entry(nr_read, {3, 0x7fff'0000'1000, 64}, site, true)
      .out(0x7fff'0000'1000, "hello", wire::data_cut, 11)
      .exit(11);
  const read::Trace trace(scratch.write());
  read::Timeline timeline(trace);
  read::Item item;
  REQUIRE(timeline.next(item));
  CHECK(item.kind == read::Item::Kind::thread);
  REQUIRE(timeline.next(item));
  CHECK(item.kind == read::Item::Kind::enter);
  REQUIRE(timeline.next(item));
  REQUIRE(item.kind == read::Item::Kind::leave);
  const read::Call& call = *item.call;
  CHECK(call.nr == nr_read);
  CHECK(call.argc == 3);
  CHECK(call.args[1] == 0x7fff'0000'1000);
  CHECK(call.site == 0x401234);
  CHECK(call.trap);
  CHECK(call.ended);
  CHECK(call.result == 11);
  CHECK(call.finished - call.began == 1000);
  REQUIRE(call.memory.size() == 1);
  CHECK(call.memory[0].address == 0x7fff'0000'1000);
  CHECK(call.memory[0].wanted == 11);
  CHECK(call.memory[0].out);
  CHECK(call.memory[0].cut);
  CHECK(std::string(call.memory[0].bytes.begin(), call.memory[0].bytes.end()) == "hello");
  CHECK_FALSE(timeline.next(item));
}

TEST_CASE("numbers without a row and sites outside the table survive", "[read][timeline]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  ring.far_entry(0x4000'0001, {1, 2, 3, 4, 5, ~uint64_t{0}}, 0x7f12'3456'789a).exit(-38);
  const read::Trace trace(scratch.write());
  read::Timeline timeline(trace);
  read::Item item;
  while (timeline.next(item) && item.kind != read::Item::Kind::leave) {
  }
  REQUIRE(item.call);
  CHECK(item.call->nr == 0x4000'0001);
  CHECK(item.call->args[5] == ~uint64_t{0});
  CHECK(item.call->site == 0x7f12'3456'789a);
}

TEST_CASE("a piece in several records is one piece", "[read][timeline]") {
  ScratchTrace scratch;
  scratch.image(7)
      .ring(7, Began::image)
      .entry(nr_write, {1, 0x5000, 8})
      .in(0x5000, "abcd", wire::data_more, 8)
      .in(0x5004, "efgh", 0, 8)
      .in(0x6000, "x")
      .exit(8);
  const read::Trace trace(scratch.write());
  read::Timeline timeline(trace);
  read::Item item;
  while (timeline.next(item) && item.kind != read::Item::Kind::leave) {
  }
  REQUIRE(item.call->memory.size() == 2);
  CHECK(item.call->memory[0].bytes.size() == 8);
  CHECK(item.call->memory[1].address == 0x6000);
}

TEST_CASE("threads and processes come in the order of time", "[read][timeline]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  auto& one = image.ring(7, Began::image);
  auto& two = image.ring(8, Began::clone, 7);
  one.entry(nr_read, {});
  two.call(nr_getpid, {}, 7);
  one.exit(0);
  auto& child = image.ring(9, 9, Began::fork, 7);
  child.entry(nr_exit_group, {3});
  one.entry(nr_exit_group, {0});
  const Told all = told(scratch.write());
  CHECK(all.in_order);
  CHECK(all.losses.unfinished == 0);
  CHECK_FALSE(all.losses.clock_uncertain);
  CHECK_THAT(all.text,
             Equals("7.7 began 0 of 0\n7.8 began 1 of 7\n7.7 read\n7.8 getpid\n7.8 getpid = 7\n"
                    "7.7 read = 0\n9.9 began 2 of 7\n9.9 exit_group\n9.9 gone 3\n7.7 "
                    "exit_group\n7.7 gone 0\n"));
}

TEST_CASE("an exit that no filter wanted is an end, and no call", "[read][timeline]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  auto& one = image.ring(7, Began::image);
  one.ending(nr_exit_group, 4).exit(-1);  // a filter of the program did not let it
  auto& two = image.ring(8, Began::clone, 7);
  two.ending(nr_exit, 1);
  one.call(nr_getpid, {}, 7).ending(nr_exit_group, 3).exit(0, wire::exit_cancelled);
  one.signal(10).ending(nr_exit_group, 5);
  const Told all = told(scratch.write());
  CHECK(all.losses.unfinished == 0);
  CHECK(all.losses.orphans == 0);
  CHECK_THAT(all.text, Equals("7.7 began 0 of 0\n7.7 ending\n7.8 began 1 of 7\n7.8 ending\n"
                              "7.7 getpid\n7.7 getpid = 7\n7.7 signal 10\n7.7 ending\n"
                              "7.7 gone 5\n"));
}

TEST_CASE("a vfork child borrows the ring and gives it back", "[read][timeline]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  ring.entry(nr_vfork)
      .thread(8, 8, Began::vfork, 7)
      .call(nr_close, {3}, 0)
      .entry(nr_execve, {})
      .thread(7, 7, Began::back)
      .exit(8)
      .call(nr_getpid, {}, 7);
  auto& next = scratch.image(8).ring(8, Began::exec);
  next.call(nr_getpid, {}, 8);
  CHECK_THAT(
      told(scratch.write()).text,
      Equals("7.7 began 0 of 0\n7.7 vfork\n8.8 began 3 of 7\n8.8 close\n8.8 close = 0\n8.8 execve\n"
             "7.7 began 4 of 0\n7.7 vfork = 8\n7.7 getpid\n7.7 getpid = 7\n"
             "8.8 execve = 0\n8.8 began 6 of 0\n8.8 getpid\n8.8 getpid = 8\n"));
}

TEST_CASE("an exec that fails returns in its own image", "[read][timeline]") {
  ScratchTrace scratch;
  scratch.image(7).ring(7, Began::image).call(nr_execve, {}, -2).entry(nr_execve);
  scratch.image(7).ring(7, Began::exec).call(nr_getpid, {}, 7);
  CHECK_THAT(told(scratch.write()).text,
             Equals("7.7 began 0 of 0\n7.7 execve\n7.7 execve = -2\n7.7 execve\n7.7 execve = 0\n"
                    "7.7 began 6 of 0\n7.7 getpid\n7.7 getpid = 7\n"));
}

TEST_CASE("a cancelled call was never made", "[read][timeline]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  SECTION("cancelled before the signal is told") {
    ring.entry(nr_read, {}).exit(0, wire::exit_cancelled).signal(14).call(nr_read, {}, 5);
  }
  SECTION("cancelled after it") {
    ring.entry(nr_read, {}).signal(14).exit(0, wire::exit_cancelled).call(nr_read, {}, 5);
  }
  CHECK_THAT(told(scratch.write()).text,
             Equals("7.7 began 0 of 0\n7.7 signal 14\n7.7 read\n7.7 read = 5\n"));
}

TEST_CASE("a handler's calls nest in the call that it interrupted", "[read][timeline]") {
  ScratchTrace scratch;
  scratch.image(7)
      .ring(7, Began::image)
      .entry(nr_pause)
      .signal(14)
      .call(nr_getpid, {}, 7)
      .entry(nr_rt_sigreturn)
      .exit(-4)
      .call(nr_getpid, {}, 7);
  const Told all = told(scratch.write());
  CHECK_THAT(all.text,
             Equals("7.7 began 0 of 0\n7.7 pause\n7.7 signal 14\n7.7 getpid\n7.7 getpid = 7\n"
                    "7.7 rt_sigreturn\n7.7 pause = -4\n7.7 getpid\n7.7 getpid = 7\n"));
  CHECK(all.losses.orphans == 0);
  CHECK(all.losses.unfinished == 0);
}

TEST_CASE("a call without an end is unfinished", "[read][timeline]") {
  ScratchTrace scratch;
  SECTION("at the end of the trace") {
    scratch.image(7).ring(7, Began::image).entry(nr_read, {}).live();
    const Told all = told(scratch.write());
    CHECK_THAT(all.text, Equals("7.7 began 0 of 0\n7.7 read\n"));
    CHECK(all.losses.unfinished == 1);
  }
  SECTION("when its thread makes another") {
    scratch.image(7).ring(7, Began::image).entry(nr_read, {}).call(nr_getpid, {}, 7);
    const Told all = told(scratch.write());
    CHECK_THAT(all.text, Equals("7.7 began 0 of 0\n7.7 read\n7.7 getpid\n7.7 getpid = 7\n"));
    CHECK(all.losses.unfinished == 1);
  }
}

TEST_CASE("a process whose last thread exits is gone", "[read][timeline]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  auto& one = image.ring(7, Began::image);
  auto& two = image.ring(8, Began::clone, 7);
  one.entry(nr_exit, {0});
  two.entry(nr_exit, {4});
  CHECK_THAT(told(scratch.write()).text,
             Equals("7.7 began 0 of 0\n7.8 began 1 of 7\n7.7 exit\n7.8 exit\n7.8 gone 4\n"));
}

TEST_CASE("losses are told where they happened", "[read][timeline]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  ring.call(nr_getpid, {}, 7).lost(5).call(nr_getpid, {}, 7);
  ring.header().lost = 8;  // three more after the last record
  const Told all = told(scratch.write());
  CHECK_THAT(all.text,
             Equals("7.7 began 0 of 0\n7.7 getpid\n7.7 getpid = 7\n7.7 lost 5\n7.7 getpid\n"
                    "7.7 getpid = 7\n7.7 lost 3\n"));
  CHECK(all.losses.calls == 8);
}

TEST_CASE("drained blocks and those in the ring are one stream", "[read][timeline]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7, wire::Mode::stream, 256, 4).ring(7, Began::image);
  for (uint64_t n = 0; n < 200; ++n) ring.call(nr_close, {n}, static_cast<int64_t>(n));
  const std::string& path = scratch.write();
  REQUIRE(ring.header().drained > 0);
  const read::Trace trace(path);
  read::Timeline timeline(trace);
  int64_t expected = 0;
  for (read::Item item; timeline.next(item);)
    if (item.kind == read::Item::Kind::leave && item.call->result == expected) ++expected;
  CHECK(expected == 200);
  CHECK(timeline.losses().damaged == 0);
}

TEST_CASE("a flight recorder shows the newest blocks and says how many are gone",
          "[read][timeline]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7, wire::Mode::overwrite, 256, 4).ring(7, Began::image);
  for (uint64_t n = 0; n < 200; ++n) ring.call(nr_close, {n}, static_cast<int64_t>(n));
  const Told all = told(scratch.write());
  CHECK(all.text.find("close = 0\n") == std::string::npos);
  CHECK(all.text.find("close = 199\n") != std::string::npos);
  CHECK(all.losses.rolled_over == ring.head() / 256 - 3);
  CHECK(all.losses.damaged == 0);
}

TEST_CASE("a missing block is a gap of unknown size, and reading goes on", "[read][timeline]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7, wire::Mode::stream, 256, 4).ring(7, Began::image);
  ring.call(nr_getpid, {}, 1).skip_block().call(nr_getpid, {}, 2);
  SECTION("nobody counted") {
    const Told all = told(scratch.write());
    CHECK_THAT(all.text, Equals("7.7 began 0 of 0\n7.7 getpid\n7.7 getpid = 1\n7.7 lost 0\n7.7 "
                                "getpid\n7.7 getpid = 2\n"));
    CHECK(all.losses.gaps == 1);
  }
  SECTION("its writer dropped and counted it") {
    ring.header().lost = 9;
    ring.header().drained = 512;
    const Told all = told(scratch.write());
    CHECK_THAT(all.text, Equals("7.7 lost 9\n7.7 getpid\n7.7 getpid = 2\n"));
    CHECK(all.losses.gaps == 0);
  }
}

TEST_CASE("a record that makes no sense ends its block alone", "[read][timeline]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7, wire::Mode::stream, 256, 4).ring(7, Began::image);
  ring.call(nr_getpid, {}, 1).raw(std::string(16, '\xff'));
  for (int n = 0; n < 8; ++n) ring.call(nr_getpid, {}, 2);
  const Told all = told(scratch.write());
  CHECK(all.losses.damaged == 1);
  CHECK(all.text.find("getpid = 1\n7.7 lost 0\n") != std::string::npos);
  CHECK(all.text.find("getpid = 2\n") != std::string::npos);
}

TEST_CASE("a new base goes on where 32 bits of ticks end", "[read][timeline]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  ring.entry(nr_pause);
  scratch.wait(10'000'000'000);
  ring.time().exit(-4);
  const read::Trace trace(scratch.write());
  read::Timeline timeline(trace);
  read::Item item;
  while (timeline.next(item) && item.kind != read::Item::Kind::leave) {
  }
  CHECK(item.call->finished - item.call->began == 10'000'001'000);
}
