// `sctrace top`: a table of what is called just now, from the shared rings. The program is not
// asked, and notices nothing but that its memory is read.
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>

#include "formats/cli/options.h"
#include "formats/cli/processes.h"
#include "formats/cli/verbs.h"
#include "formats/cli/watch.h"
#include "formats/drain.h"
#include "formats/filter.h"
#include "formats/read/live.h"
#include "formats/top.h"

namespace sctrace::cli {

namespace {

using Clock = std::chrono::steady_clock;

// Keys one by one and a screen of our own, until it goes away.
class Screen {
 public:
  Screen() {
    ::tcgetattr(0, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 1, raw.c_cc[VTIME] = 0;
    ::tcsetattr(0, TCSANOW, &raw);
    put("\033[?1049h\033[?25l");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    put("\033[?25h\033[?1049l");
    ::tcsetattr(0, TCSANOW, &before_);
  }
  static winsize size() {
    winsize is{};
    if (::ioctl(1, TIOCGWINSZ, &is) != 0 || !is.ws_col || !is.ws_row)
      is.ws_col = 80, is.ws_row = 24;
    return is;
  }
  // Lines over what was there; the rest of the screen is cleared.
  static void show(const std::string& text) {
    std::string all = "\033[H";
    for (const char c : text) all += c == '\n' ? "\033[K\r\n" : std::string(1, c);
    put(all + "\033[J");
  }

 private:
  static void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
  termios before_{};
};

struct Wish {
  std::string subject, filter;
  double seconds = 1;
  int batch = -1;  // tables to print; -1: a terminal
};

// The loop around a table: what was recorded meanwhile, then the table, then keys until the next.
class Watcher {
 public:
  Watcher(const Wish& wish, const Meant& meant, Top& top)
      : wish_(wish), live_(meant.trace), watch_(meant.trace), top_(top) {
    subject_ = meant.pid ? fmt::format("{} ({})", wish.subject, meant.pid) : meant.trace;
  }

  int run_batch() {
    begin();
    for (int n = 0; n < wish_.batch && !interrupted(); ++n) {
      const bool more = pass_time();
      fmt::print("{}{}", n ? "\n" : "", top_.table(subject_, 80, SIZE_MAX));
      std::fflush(stdout);
      if (!more) break;
    }
    return 0;
  }

  int run_terminal() {
    const Screen screen;
    begin();
    while (!ended_ && !interrupted()) {
      ended_ = !pass_time() || ended_;
      if (!paused_) show();
    }
    return 0;
  }

 private:
  // What happened before we came is no rate: it is read and forgotten.
  void begin() {
    if (needs_reader(live_.trace())) drainer_.emplace(live_.trace().directory());
    live_.look(watch_.running());
    feed();
    top_.turn(1);
    top_.forget();
    turned_ = Clock::now();
  }

  void feed() {
    for (read::Item item; live_.next(item);) top_.add(item);
    for (const read::Image& image : live_.trace().images())
      read::each_counted(
          image, [&](const read::Counted& counted) { top_.add(counted, live_.trace().clock()); });
  }

  // One interval, in steps. False: nobody is left who writes.
  bool pass_time() {
    const auto until = turned_ + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(wish_.seconds));
    bool running = true;
    while (!ended_ && !interrupted()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
      if (left.count() <= 0 || !running) break;
      wait(static_cast<int>(std::min<int64_t>(left.count() + 1, 100)));
      running = watch_.running();
      if (!running) live_.finish();
      if (running) live_.look(true);
      feed();
    }
    const auto now = Clock::now();
    top_.turn(static_cast<uint64_t>(std::chrono::nanoseconds(now - turned_).count()));
    turned_ = now;
    return running;
  }

  void wait(int milliseconds) {
    pollfd keys{.fd = wish_.batch < 0 ? 0 : -1, .events = POLLIN, .revents = 0};
    if (::poll(&keys, 1, milliseconds) <= 0) return;
    char key;
    if (::read(0, &key, 1) != 1) return void(ended_ = true);
    typing_ ? type(key) : press(key);
    show();
  }

  void press(char key) {
    static constexpr struct {
      char key;
      TopKey sorts;
    } sorts[] = {{'c', TopKey::calls}, {'e', TopKey::errors}, {'t', TopKey::time},
                 {'p', TopKey::p99},   {'b', TopKey::bytes},  {'n', TopKey::name}};
    for (const auto& one : sorts)
      if (one.key == key) top_.key = one.sorts;
    if (key == 'q') ended_ = true;
    if (key == ' ') paused_ = !paused_;
    if (key == '/') typing_ = true, typed_.clear(), note_.clear();
    if (key >= '1' && key <= '4') top_.by = static_cast<TopBy>(key - '1'), top_.forget();
  }

  void type(char key) {
    if (key == '\n' || key == '\r') {
      typing_ = false;
      try {
        top_.filter = typed_.empty() ? wire::Expression() : filter_of(typed_);
        note_ = typed_.empty() ? "" : "only " + typed_;
        top_.forget();
      } catch (const std::invalid_argument& wrong) {
        note_ = wrong.what();
      }
    } else if (key == '\033') {
      typing_ = false;
    } else if (key == '\b' || key == '\177') {
      if (!typed_.empty()) typed_.pop_back();
    } else if (key >= ' ') {
      typed_ += key;
    }
  }

  void show() {
    const winsize is = Screen::size();
    std::string last = "1 call 2 fd 3 path 4 thread | sort: c e t p b n | / filter | space | q";
    if (!note_.empty()) last = note_;
    if (paused_) last = "paused; space goes on";
    if (typing_) last = "filter: " + typed_;
    if (last.size() > is.ws_col) last.resize(is.ws_col);
    std::string all = top_.table(subject_, is.ws_col, is.ws_row - 1);
    const auto lines = static_cast<size_t>(std::count(all.begin(), all.end(), '\n'));
    if (lines + 1 < is.ws_row) all.append(is.ws_row - 1 - lines, '\n');
    Screen::show(all + last);
  }

  const Wish& wish_;
  read::LiveTrace live_;
  Watch watch_;
  std::optional<DrainingChild> drainer_;
  Top& top_;
  std::string subject_, typed_, note_;
  Clock::time_point turned_{};
  bool ended_ = false, paused_ = false, typing_ = false;
};

}  // namespace

int verb_top(int argc, char** argv) {
  CLI::App app(
      "Shows what a program calls just now: calls and errors a second, p50 and p99 latency, "
      "bytes.\n"
      "First all that was recorded before is read, which for a long stream takes its time.\n"
      "Keys: 1 call 2 fd 3 path 4 thread; sort by c calls e errors t time p p99 b bytes n name;\n"
      "/ filter, space pauses, q ends. It ends by itself when the program does.");
  Wish wish;
  Top top;
  const std::map<std::string, TopBy> kinds{
      {"call", TopBy::call}, {"fd", TopBy::fd}, {"path", TopBy::path}, {"thread", TopBy::thread}};
  const std::map<std::string, TopKey> keys{{"calls", TopKey::calls}, {"errors", TopKey::errors},
                                           {"time", TopKey::time},   {"p99", TopKey::p99},
                                           {"bytes", TopKey::bytes}, {"name", TopKey::name}};
  app.add_option("WHAT", wish.subject,
                 "pid or name of a running program, or a trace (the newest sctrace-* here)");
  offer(app.add_option("--by", top.by, "a row for each call, fd, path or thread (call)"),
        "call fd path thread")
      ->transform(CLI::CheckedTransformer(kinds).description(""))
      ->type_name("KIND");
  offer(app.add_option("-S,--sort", top.key, "calls, errors, time, p99, bytes or name (calls)"),
        "calls errors time p99 bytes name")
      ->transform(CLI::CheckedTransformer(keys).description(""))
      ->type_name("KEY");
  app.add_option("--filter", wish.filter, "only calls of which this is so, as print --filter")
      ->type_name("EXPR");
  app.add_option("-d,--delay", wish.seconds, "seconds between two tables, from 0.1 on (1)")
      ->check(CLI::Range(0.1, 3600.0))
      ->type_name("SECONDS");
  app.add_option("-b,--batch", wish.batch, "print N tables of 80 columns, for logs")
      ->check(CLI::Range(1, 1'000'000'000))
      ->type_name("N");
  if (const auto status = parse(app, argc, argv)) return *status;
  try {
    if (!wish.filter.empty()) top.filter = filter_of(wish.filter);
  } catch (const std::invalid_argument& wrong) {
    fmt::print(stderr, "sctrace top: {}\n", wrong.what());
    return 2;
  }
  if (wish.batch < 0 && !(::isatty(0) && ::isatty(1))) {
    fmt::print(stderr, "sctrace top: no terminal; -b N prints N tables\n");
    return 2;
  }
  const Meant meant = trace_meant(wish.subject);
  top.pid = meant.pid;
  catch_interrupts();
  Watcher watcher(wish, meant, top);
  return wish.batch < 0 ? watcher.run_terminal() : watcher.run_batch();
}

}  // namespace sctrace::cli
