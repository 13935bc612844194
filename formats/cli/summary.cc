// `sctrace summary`: strace -c over a trace, and how slow the slow calls were, by whatever they
// were about.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "formats/cli/amounts.h"
#include "formats/cli/bar.h"
#include "formats/cli/options.h"
#include "formats/cli/sums.h"
#include "formats/cli/verbs.h"
#include "formats/counts.h"
#include "formats/counts_columns.h"
#include "formats/counts_table.h"
#include "formats/groups.h"
#include "formats/read/trace.h"

namespace sctrace::cli {

namespace {

struct Wish {
  std::string trace;
  bool json = false, plain = false, histogram = false;
  std::string sort_name = "time", columns = std::string(usual_columns);
  SortKey key = SortKey::time;
  GroupKey by = GroupKey::syscall;
  std::string by_name = "syscall";
  std::string interval;
};

const std::map<std::string, SortKey> sort_keys{
    {"time", SortKey::time},         {"time_total", SortKey::time},
    {"total-time", SortKey::time},   {"time-total", SortKey::time},
    {"min-time", SortKey::min_time}, {"time-min", SortKey::min_time},
    {"max-time", SortKey::max_time}, {"time-max", SortKey::max_time},
    {"max", SortKey::max_time},      {"avg-time", SortKey::average},
    {"time-avg", SortKey::average},  {"calls", SortKey::calls},
    {"count", SortKey::calls},       {"errors", SortKey::errors},
    {"error", SortKey::errors},      {"name", SortKey::name},
    {"syscall", SortKey::name},      {"p50", SortKey::p50},
    {"p99", SortKey::p99},           {"bytes", SortKey::bytes},
    {"nothing", SortKey::none},      {"none", SortKey::none}};

void add_options(CLI::App& app, Wish& w) {
  app.add_option("TRACE", w.trace, "trace directory (default: the newest sctrace-* here)");
  app.add_flag("-c", w.plain, "exactly as strace -c (times are those that passed, as with -w)");
  app.add_option("-U,--columns", w.columns, "the columns of -c, as strace names them")
      ->type_name("LIST");
  offer(app.add_option("-S,--sort", w.sort_name,
                       "sort by time, min-time, max-time, avg-time, calls, errors, name, p50, p99, "
                       "bytes or nothing"),
        "time min-time max-time avg-time calls errors name p50 p99 bytes nothing")
      ->check(CLI::IsMember(sort_keys).description(""))
      ->type_name("KEY");
  offer(app.add_option("--by", w.by_name,
                       "a row for each syscall, fd, path, peer, thread, process, errno, stack or "
                       "depth of it"),
        "syscall fd path peer thread process errno stack depth")
      ->check(CLI::IsMember(group_keys()).description(""))
      ->type_name("WHAT");
  app.add_flag("--histogram", w.histogram, "how the times of each row are spread");
  app.add_option("--interval", w.interval,
                 "a line for each interval of the run in which calls ended: 1s, 100ms …")
      ->type_name("TIME");
  app.add_flag("--json", w.json,
               "one JSON object; with --interval one a line\n"
               "It has run, total and syscalls (rows, where they are by another key): a list of "
               "name, calls, errors, errors_by, unfinished, bytes, ns_total, ns_mean, ns_min, "
               "ns_p50, ns_p90, ns_p99, ns_p999, ns_max and with --histogram [ns, calls]. In run, "
               "ns_cpu is processor time, of processes_cpu of the processes: those that ended by "
               "exit_group; null: of none.");
}

void show(const Wish& wish, std::vector<Count> rows, const Count& total, const Run& run,
          const read::Losses& losses, int64_t wall_offset) {
  sort(rows, wish.key);
  if (wish.json) {
    fmt::print("{}", counts_json(rows, total, run, losses, wall_offset,
                                 {.by = wish.by_name, .histogram = wish.histogram}));
    return;
  }
  fmt::print("{}{}", counts_table(rows, total, wish.key, wish.by_name), run_text(total, run));
  if (!wish.histogram) return;
  for (const Count& row : rows)
    if (row.calls) fmt::print("\n{}", histogram_text(row));
}

// Each interval as soon as it is over, so that a long run needs no more memory than a short one.
class Intervals {
 public:
  Intervals(const Wish& wish, const read::Trace& trace, uint64_t length)
      : wish_(wish), trace_(trace), length_(length), groups_(wish.by, trace) {}

  void add(const read::Item& item) {
    if (!run_.first) run_.first = end_ = item.when, end_ += length_;
    while (item.when >= end_) close();
    groups_.add(item);
    if (item.kind == read::Item::Kind::thread) run_.add(item);
  }
  void end() {
    if (run_.first) close();
  }

 private:
  void close() {
    const Count total = groups_.total();
    const uint64_t begin = end_ - length_;
    if (wish_.json) {
      Run run = run_;
      run.first = begin, run.last = end_;
      fmt::print("{}", one_line(counts_json(groups_.rows(), total, run, {},
                                            trace_.clock().realtime_offset(),
                                            {.by = wish_.by_name, .histogram = wish_.histogram})));
    } else {
      line(begin, total);
    }
    groups_.clear();
    end_ += length_;
  }

  static std::string one_line(std::string json) {
    std::erase(json, '\n');
    return json + '\n';
  }

  void line(uint64_t begin, const Count& total) {
    if (!headed_)
      fmt::print(
          "    from/s     calls   errors  in calls/s    p50/us    p99/us    max/us       bytes  "
          "most time in\n");
    headed_ = true;
    std::vector<Count> rows = groups_.rows();
    sort(rows, wish_.key);
    const Latencies& slow = total.latencies;
    const auto us = [](uint64_t ns) { return static_cast<double>(ns) / 1000; };
    fmt::print("{:10.3f} {:9} {:8} {:11.6f} {:9.1f} {:9.1f} {:9.0f} {:11}  {}\n",
               static_cast<double>(begin - run_.first) / 1e9, total.calls, total.errors,
               static_cast<double>(slow.total()) / 1e9, us(slow.quantile(0.5)),
               us(slow.quantile(0.99)), us(slow.max()), total.bytes,
               total.calls ? rows.front().name : "");
  }

  const Wish& wish_;
  const read::Trace& trace_;
  uint64_t length_, end_ = 0;
  Groups groups_;
  Run run_;
  bool headed_ = false;
};

int by_interval(const Wish& wish, const read::Trace& trace, uint64_t length) {
  read::Timeline timeline(trace);
  Intervals intervals(wish, trace, length);
  for (read::Item item; timeline.next(item);) intervals.add(item);
  intervals.end();
  say_losses(timeline.losses());
  return 0;
}

int whole(const Wish& wish, const read::Trace& trace) {
  const Sums sums = [&] {
    Bar bar;
    return bar.is_wanted() ? sums_of(trace, wish.by, std::ref(bar)) : sums_of(trace, wish.by);
  }();
  if (wish.plain)
    fmt::print("{}", counts_of(sums.counts.by_number(), column_named(wish.sort_name),
                               columns_named(wish.columns)));
  else
    show(wish, sums.rows, sums.total, sums.run, sums.losses, trace.clock().realtime_offset());
  say_losses(sums.losses);
  return 0;
}

}  // namespace

int verb_summary(int argc, char** argv) {
  CLI::App app(
      "Counts calls, errors and time by system call. Calls that did not come back are not "
      "counted.");
  Wish wish;
  add_options(app, wish);
  if (const auto status = parse(app, argc, argv)) return *status;
  wish.by = group_keys().at(wish.by_name);
  wish.key = sort_keys.at(wish.sort_name);
  std::optional<uint64_t> length = 0;
  try {
    if (!wish.interval.empty()) length = nanoseconds(wish.interval);
    if (!length || (!wish.interval.empty() && !*length))
      throw std::invalid_argument("`" + wish.interval +
                                  "` is no length of an interval: 1s, 100ms, 10us");
    if (wish.plain && wish.by != GroupKey::syscall)
      throw std::invalid_argument("-c has a row for each syscall, not for each " + wish.by_name);
    if (wish.plain) column_named(wish.sort_name), columns_named(wish.columns);
  } catch (const std::invalid_argument& wrong) {
    fmt::print(stderr, "sctrace summary: {}\n", wrong.what());
    return 2;
  }
  const read::Trace trace(trace_named(wish.trace));
  return *length ? by_interval(wish, trace, *length) : whole(wish, trace);
}

}  // namespace sctrace::cli
