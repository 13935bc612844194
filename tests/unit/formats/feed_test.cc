#include "formats/feed.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include <cstring>

#include "arch/table.h"
#include "formats/phrase.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using test::ScratchTrace;
using wire::Began;

namespace {

// What a sink was told, one line a telling.
class Told final : public Sink {
 public:
  std::vector<std::string> lines;
  std::vector<uint64_t> spent;
  void enter(const Event& e) override { add("enter {} {}", e.tid, e.name); }
  void leave(const Event& e) override {
    add("leave {} {}{}", e.tid, e.name, e.ended ? fmt::format(" {}", e.result) : " unfinished");
    CHECK(e.finished >= e.began);
    spent.push_back(e.finished - e.began);
  }
  void signal(const Arrival& a) override { add("signal {} {}", a.tid, a.name); }
  void birth(const Birth& b) override {
    static constexpr const char* kinds[] = {"thread", "process", "program"};
    add("birth {} {} {} {}", kinds[static_cast<size_t>(b.kind)], b.pid, b.tid, b.name);
  }
  void name(const Naming& n) override { add("name {} {}", n.tid, n.name); }
  void death(const Death& d) override {
    add("death {} {} {}", d.process ? "process" : "thread", d.process ? d.pid : d.tid, phrase(d));
  }
  void lost(const Loss& l) override { add("lost {} {}", l.tid, l.calls); }
  void end(const Losses& l) override { add("end {}", l.calls); }

 private:
  template <class... T>
  void add(fmt::format_string<T...> text, T&&... values) {
    lines.push_back(fmt::format(text, std::forward<T>(values)...));
  }
};

std::vector<std::string> told(ScratchTrace& scratch, FeedOptions options = {}) {
  const read::Trace trace(scratch.write());
  const Session session = session_of(trace);
  Told sink, beside;
  feed(trace, session, sink, options);
  options.beside = true;
  feed(trace, session, beside, options);
  CHECK(beside.lines == sink.lines);
  return sink.lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a call is entered and left between birth and death", "[formats][feed]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  std::strcpy(image.header.program, "/usr/bin/a-long-name-of-a-program");
  image.ring(7, Began::image).call(nr_close, {3}, -9).entry(nr_exit_group, {3});
  CHECK(told(scratch) == Lines{"birth process 7 7 a-long-name-of-", "enter 7 close",
                               "leave 7 close -9", "enter 7 exit_group",
                               "leave 7 exit_group unfinished", "death process 7 exited with 3",
                               "end 0"});
}

TEST_CASE("an exit that no filter wanted is a death, and no call", "[formats][feed]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  image.ring(7, Began::image).entry(nr_pause).signal(10).ending(nr_exit_group, 3);
  image.ring(7, 8, Began::clone, 7).ending(nr_exit, 1);
  CHECK(told(scratch) == Lines{"birth process 7 7 scratch", "enter 7 pause", "signal 7 SIGUSR1",
                               "leave 7 pause unfinished", "birth thread 7 8 scratch",
                               "death thread 8 exited with 1", "death process 7 exited with 3",
                               "end 0"});
}

TEST_CASE("each enter has one leave, whatever became of the call", "[formats][feed]") {
  ScratchTrace scratch;
  scratch.image(7)
      .ring(7, Began::image)
      .entry(nr_read, {0, 0x5000, 1})
      .signal(17)
      .call(nr_getpid, {}, 7)
      .entry(nr_rt_sigreturn)
      .exit(1)  // of the read
      .entry(nr_pause)
      .signal(10)                 // its handler jumps out, and is interrupted no more
      .entry(nr_futex, {0x5000})  // another call, abandoned for good
      .call(nr_getppid, {}, 1)
      .entry(nr_nanosleep, {0x5000})
      .live();
  CHECK(told(scratch) == Lines{"birth process 7 7 scratch", "enter 7 read", "signal 7 SIGCHLD",
                               "enter 7 getpid", "leave 7 getpid 7", "enter 7 rt_sigreturn",
                               "leave 7 rt_sigreturn unfinished", "leave 7 read 1", "enter 7 pause",
                               "signal 7 SIGUSR1", "enter 7 futex", "leave 7 futex unfinished",
                               "enter 7 getppid", "leave 7 getppid 1", "enter 7 nanosleep",
                               "leave 7 nanosleep unfinished", "leave 7 pause unfinished",
                               "end 0"});
}

TEST_CASE("threads and processes inherit their names, and change them", "[formats][feed]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  std::strcpy(image.header.program, "/bin/cat");
  auto& first = image.ring(7, Began::image);
  first.entry(nr_prctl, {15, 0x5000}).in(0x5000, std::string("worker\0", 7)).exit(0);
  first.call(nr_clone, {0x10000}, 8);
  image.ring(7, 8, Began::clone, 7).entry(nr_exit, {0});
  first.call(nr_fork, {}, 9);
  image.ring(9, 9, Began::fork, 7).entry(nr_exit_group, {1});
  CHECK(told(scratch, {.enter = Detail::none, .leave = Detail::none}) ==
        Lines{"birth process 7 7 cat", "name 7 worker", "birth thread 7 8 worker",
              "death thread 8 exited with 0", "birth process 9 9 worker",
              "death process 9 exited with 1", "end 0"});
}

TEST_CASE("a program that executes another keeps one thread", "[formats][feed]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  std::strcpy(image.header.program, "/bin/sh");
  auto& first = image.ring(7, Began::image);
  image.ring(7, 8, Began::clone, 7).entry(nr_pause);
  first.entry(nr_execve, {0x5000}).in(0x5000, std::string("/opt/script\0", 12));
  auto& next = scratch.image(7);
  std::strcpy(next.header.program, "/usr/bin/python3");
  next.ring(7, Began::exec);
  CHECK(told(scratch, {.enter = Detail::none, .leave = Detail::raw}) ==
        Lines{"birth process 7 7 sh", "birth thread 7 8 sh", "leave 7 execve 0",
              "leave 8 pause unfinished", "death thread 8 ", "birth program 7 7 script", "end 0"});
}

TEST_CASE("what is lost is told where it is missing and in the end", "[formats][feed]") {
  ScratchTrace scratch;
  scratch.image(7).ring(7, Began::image).call(nr_getpid, {}, 7).lost(5).call(nr_close, {1}, 0);
  CHECK(told(scratch, {.enter = Detail::none, .leave = Detail::raw}) ==
        Lines{"birth process 7 7 scratch", "leave 7 getpid 7", "lost 7 5", "leave 7 close 0",
              "end 5"});
}

TEST_CASE("a filter leaves out calls and nothing else", "[formats][feed]") {
  ScratchTrace scratch;
  scratch.image(7)
      .ring(7, Began::image)
      .call(nr_getpid, {}, 7)
      .call(nr_close, {1}, 0)
      .entry(nr_exit_group, {0});
  CHECK(told(scratch, {.calls = call_set("close")}) ==
        Lines{"birth process 7 7 scratch", "enter 7 close", "leave 7 close 0",
              "death process 7 exited with 0", "end 0"});
}

TEST_CASE("what a sink throws in a thread of its own comes out of the feed", "[formats][feed]") {
  struct Full final : Sink {
    size_t calls = 0;
    void leave(const Event&) override {
      if (++calls == 700) throw OutputFailed("x", "is full");
    }
    void lost(const Loss&) override {}
    void end(const Losses&) override { FAIL("ended"); }
  };
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  const size_t calls = GENERATE(700, 5000);
  for (size_t n = 0; n < calls; ++n) ring.call(nr_getpid, {}, 7);
  const read::Trace trace(scratch.write());
  const Session session = session_of(trace);
  Full sink;
  CHECK_THROWS_AS(feed(trace, session, sink, {.beside = true}), OutputFailed);
  CHECK(sink.calls == 700);
}

TEST_CASE("an empty trace has an end", "[formats][feed]") {
  ScratchTrace scratch;
  CHECK(told(scratch) == Lines{"end 0"});
}
