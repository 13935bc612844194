// What `sctrace print` was asked for: its options, which are strace's own, made a Wish.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "formats/counts_columns.h"
#include "formats/text.h"
#include "formats/text_filter.h"
#include "formats/wire/expression.h"

namespace CLI {
class App;
}

namespace sctrace::cli {

// Descriptors whose data is dumped: numbers, "all", "none"; all but these behind `!`.
struct Descriptors {
  std::set<int64_t> named;
  bool others = false;
  bool has(int64_t fd) const { return named.contains(fd) != others; }
  bool none() const { return named.empty() && !others; }
};

struct Wish {
  std::string trace, output, form = "strace", hex, decode, absolute, since, spent;
  std::vector<std::string> expressions, paths;
  std::vector<std::string> pointless;  // options that make sense only while a program runs
  bool types = false, append = false, apart = false;  // --types, -A, -ff
  bool count = false, lines = true;                   // -c: counts alone; -C: both
  std::string columns = std::string(usual_columns), order = "time";
  uint64_t overhead = 0;  // ns, taken off each call that is counted
  TextOptions text;
  TextFilter filter;
  bool grows = false;  // --follow
  uint32_t pid = 0;    // whose calls; 0: of the first, or of all with -f
  std::string expression;
  wire::Expression only;          // --filter
  Descriptors read, write;        // whose data is shown in full
  std::set<std::string> signals;  // without SIG; only these, or all but these
  bool other_signals = true;
  bool shows(const std::string& signal) const { return signals.contains(signal) != other_signals; }
};

// The options of `print`; they write into `wish`.
void add_options(CLI::App& app, Wish& wish);
// Once they are parsed: what they come to together. Throws std::invalid_argument with what is
// wrong.
void settle(Wish& wish);

// print_sets.cc: one -e, QUALIFIER=SET or a SET of calls. Throws as above.
void express(Wish& wish, const std::string& text);
void set_decode_fds(Wish& wish, const std::string& what);
void set_decode_pids(Wish& wish, const std::string& what);
void set_quiet(Wish& wish, const std::string& what);

}  // namespace sctrace::cli
