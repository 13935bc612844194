// What is counted ring by ring is what the timeline tells, on traces of every kind.
#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "arch/table.h"
#include "formats/counts_table.h"
#include "formats/tally.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using test::ScratchTrace;
using wire::Began;

namespace {

std::string text_of(const Counts& counts, const Run& run, const read::Losses& losses) {
  const std::vector<Count> rows = counts.by_number();
  return counts_json(rows, sum_of(rows), run, losses, 0, {.histogram = true});
}

// By the timeline, call by call.
std::string one_by_one(const read::Trace& trace) {
  read::Timeline timeline(trace);
  Counts counts;
  Run run;
  for (read::Item item; timeline.next(item);) run.add(item), counts.add(item);
  return text_of(counts, run, timeline.losses());
}

enum class Verdict { equal, differs, unsure, refused };

Verdict compared(const std::string& path) try {
  const read::Trace trace(path);
  const auto tally = tally_of(trace);
  if (!tally) return Verdict::unsure;
  const bool equal = text_of(tally->counts, tally->run, tally->losses) == one_by_one(trace);
  return equal ? Verdict::equal : Verdict::differs;
} catch (const read::BadTrace&) {
  return Verdict::refused;
}

// Numbers without a pattern, the same in every run.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  uint64_t below(uint64_t n) {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return (state_ >> 8) % n;
  }

 private:
  uint64_t state_;
};

// Whatever a writer may say, in an order that no writer would choose.
void one_record(test::ScratchRing& ring, Dice& dice, uint32_t pid) {
  constexpr uint32_t numbers[] = {nr_read,       nr_getpid,       nr_execve, nr_exit,
                                  nr_exit_group, nr_rt_sigreturn, nr_openat, 0x12345};
  constexpr uint8_t ways[] = {0,
                              0,
                              0,
                              wire::exit_cancelled,
                              wire::exit_filtered,
                              wire::exit_restarted,
                              wire::exit_cancelled | wire::exit_filtered};
  switch (dice.below(16)) {
    case 0: ring.signal(10); break;
    case 1:
      for (uint64_t n = dice.below(140); n; --n) ring.signal(14);
      break;
    case 2: ring.lost(dice.below(3)); break;
    case 3: ring.time(); break;
    case 4:
      ring.thread(pid + dice.below(2), pid + dice.below(3), static_cast<Began>(dice.below(7)), pid);
      break;
    case 5: ring.out(0x1000, "abcdef"); break;
    case 6: ring.in(0x2000, std::string(dice.below(200), 'x')); break;
    case 7:
      if (dice.below(2))
        ring.ending(dice.below(4) ? nr_exit : nr_read, 3);
      else
        ring.skip_block();
      break;
    case 8:
    case 9:
    case 10:
    case 11: ring.entry(numbers[dice.below(8)], {1, 2, 0x7fff'0000'0000}); break;
    default: ring.exit(static_cast<int64_t>(dice.below(5)) - 2, ways[dice.below(7)]); break;
  }
}

void fill(ScratchTrace& scratch, uint64_t seed, bool tidy) {
  Dice dice(seed);
  for (uint32_t pid = 7; pid < 7 + 1 + dice.below(3); ++pid) {
    auto& image = scratch.image(pid, seed % 4 ? wire::Mode::stream : wire::Mode::overwrite, 512, 4);
    for (uint32_t tid = pid; tid < pid + 1 + dice.below(3); ++tid) {
      auto& ring = image.ring(pid, tid, tid == pid ? Began::image : Began::clone, pid);
      for (uint64_t n = 20 + dice.below(100); n; --n)
        if (tidy)
          ring.call(dice.below(4) ? nr_getpid : nr_read, {3, 4}, static_cast<int64_t>(n) - 20);
        else
          one_record(ring, dice, pid);
      if (dice.below(2)) ring.live();
    }
  }
}

}  // namespace

TEST_CASE("rings counted one by one come to what the timeline tells", "[formats][tally]") {
  const bool tidy = GENERATE(true, false);
  uint64_t equal = 0, unsure = 0, wrong = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    ScratchTrace scratch;
    fill(scratch, seed, tidy);
    const Verdict verdict = compared(scratch.write());
    equal += verdict == Verdict::equal, unsure += verdict == Verdict::unsure;
    if (verdict == Verdict::differs && !wrong) wrong = seed;
  }
  CHECK(wrong == 0);
  CHECK(equal > (tidy ? 149 : 40));
}

TEST_CASE("a byte that is another changes both ways of counting alike", "[formats][tally]") {
  const uint64_t seed = GENERATE(3u, 5u, 6u);
  ScratchTrace scratch;
  fill(scratch, seed, true);
  const std::string path = scratch.write();
  uint64_t equal = 0;
  std::string wrong;
  for (const std::string& file : {scratch.ring_file(), scratch.data_file()}) {
    const std::string whole = test::contents(file);
    size_t nth = 0;
    for (size_t at = 0; at < whole.size(); ++at) {
      if (!whole[at] || ++nth % 5) continue;
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << nth % 8));
      test::overwrite(file, bytes);
      const Verdict verdict = compared(path);
      equal += verdict == Verdict::equal;
      if (verdict == Verdict::differs && wrong.empty()) wrong = fmt::format("{} {}", file, at);
    }
    test::overwrite(file, whole);
  }
  CHECK(wrong == "");
  CHECK(equal > 50);
}

TEST_CASE("an exec that becomes another program has come back", "[formats][tally]") {
  ScratchTrace scratch;
  auto& before = scratch.image(7).ring(7, Began::image);
  before.entry(nr_execve).exit(-2).entry(nr_execve);
  scratch.wait(5000);
  scratch.image(7).ring(7, Began::exec).call(nr_getpid, {}, 7);
  const read::Trace trace(scratch.write());
  const auto tally = tally_of(trace);
  REQUIRE(tally);
  CHECK(text_of(tally->counts, tally->run, tally->losses) == one_by_one(trace));
  for (const Count& row : tally->counts.by_number())
    if (row.name == "execve") {
      CHECK(row.calls == 2);
      CHECK(row.errors == 1);
      CHECK(row.unfinished == 0);
    }
}

TEST_CASE("what more memory than a reader holds would cut is left to the reader",
          "[formats][tally]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7, wire::Mode::stream, 1 << 20, 4).ring(7, Began::image);
  const std::string piece(32768, 'x');
  ring.entry(nr_read, {3});
  for (int n = 0; n < 2060; ++n) ring.out(0x10000, piece, wire::data_more);
  ring.exit(1);
  const read::Trace trace(scratch.write());
  CHECK_FALSE(tally_of(trace));
}
