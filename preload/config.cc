#include "preload/config.h"

#include <regex.h>

#include "arch/errors.h"
#include "formats/wire/counters.h"
#include "formats/wire/expression_parse.h"
#include "preload/call_names.h"

namespace sctrace::preload {
namespace {

bool same(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

bool copy(const char* from, char* to, uint64_t bytes) {
  uint64_t n = 0;
  for (; from[n]; ++n) {
    if (n + 1 >= bytes) return false;
    to[n] = from[n];
  }
  to[n] = 0;
  return n > 0;
}

bool parse_size(const char* s, uint64_t& value) {
  uint64_t n = 0;
  if (*s < '0' || *s > '9') return false;
  for (; *s >= '0' && *s <= '9'; ++s)
    if (__builtin_mul_overflow(n, uint64_t{10}, &n) ||
        __builtin_add_overflow(n, uint64_t(*s - '0'), &n))
      return false;
  int shift = 0;
  if (*s == 'K' || *s == 'k') shift = 10;
  if (*s == 'M' || *s == 'm') shift = 20;
  if (*s == 'G' || *s == 'g') shift = 30;
  if (shift) ++s;
  if (*s || n >> (63 - shift)) return false;
  value = n << shift;
  return true;
}

bool parse_switch(const char* s, bool& value) {
  if (same(s, "1") || same(s, "on")) return value = true;
  if (same(s, "0") || same(s, "off")) return value = false, true;
  return false;
}

bool set_output(const char* s, Config& c) { return copy(s, c.output, sizeof c.output); }

bool set_trace(const char* s, Config& c) {
  char bad[64];
  return parse_trace(s, c.traced, c.traced_unknown, bad, sizeof bad);
}

bool set_capture(const char* s, Config& c) {
  const bool both = same(s, "in,out") || same(s, "out,in"), none = same(s, "none");
  if (!both && !none && !same(s, "in") && !same(s, "out")) return false;
  c.capture_in = both || same(s, "in");
  c.capture_out = both || same(s, "out");
  return true;
}

bool parse_strsize(const char* s, uint64_t& value) {
  if (same(s, "all")) return value = ~0ull, true;
  return parse_size(s, value);
}

// SIZE for all calls, CALLS=SIZE for some: `256,%network=all,read=64K`. The last word counts.
bool set_strsize(const char* s, Config& c) {
  uint64_t general = c.strsize;
  uint64_t sizes[arch::number_limit] = {};
  bool some[arch::number_limit] = {};
  for (;; ++s) {
    char word[128];
    uint64_t n = 0, equals = 0, size;
    for (; *s && *s != ',' && n + 1 < sizeof word; word[n++] = *s++)
      if (*s == '=' && !equals) equals = n;
    word[n] = 0;
    if (!parse_strsize(word + (equals ? equals + 1 : 0), size)) return false;
    uint8_t set[arch::number_limit] = {};
    bool unknown;
    char bad[8];
    word[equals] = equals ? 0 : word[0];
    if (equals && !parse_trace(word, set, unknown, bad, sizeof bad)) return false;
    if (!equals) general = size;
    for (uint32_t nr = 0; nr < arch::number_limit; ++nr)
      if (set[nr]) sizes[nr] = size, some[nr] = true;
    if (!*s) break;
  }
  c.strsize = general;
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr)
    c.strsize_of[nr] = some[nr] ? sizes[nr] : general;
  return true;
}

bool set_mode(const char* s, Config& c) {
  if (same(s, "stream")) return c.mode = wire::Mode::stream, true;
  if (same(s, "overwrite")) return c.mode = wire::Mode::overwrite, true;
  if (same(s, "discard")) return c.mode = wire::Mode::discard, true;
  if (same(s, "block")) return c.mode = wire::Mode::block, true;
  if (same(s, "counts")) return c.mode = wire::Mode::counts, true;
  return false;
}

bool set_buffer(const char* s, Config& c) {
  uint64_t bytes;
  if (!parse_size(s, bytes) || bytes < 65536 || bytes > 1ull << 30) return false;
  c.ring_bytes = 65536;
  while (c.ring_bytes < bytes) c.ring_bytes <<= 1;
  return true;
}

bool set_max_size(const char* s, Config& c) { return parse_size(s, c.max_bytes); }

bool set_follow(const char* s, Config& c) {
  const bool both = same(s, "fork,exec") || same(s, "exec,fork");
  if (!both && !same(s, "none") && !same(s, "fork") && !same(s, "exec")) return false;
  c.follow_fork = both || same(s, "fork");
  c.follow_exec = both || same(s, "exec");
  return true;
}

bool set_comm(const char* s, Config& c) { return copy(s, c.comm, sizeof c.comm); }

bool set_doors(const char* s, Config& c) {
  if (same(s, "auto")) return c.doors = Doors::automatic, true;
  if (same(s, "trap")) return c.doors = Doors::trap, true;
  if (same(s, "stub")) return c.doors = Doors::stub, true;
  return false;
}

bool set_log(const char* s, Config& c) {
  static constexpr const char* levels[] = {"off", "error", "warn", "info", "debug"};
  for (int i = 0; i < 5; ++i)
    if (same(s, levels[i])) return c.log = static_cast<Level>(i), true;
  const char* debug_to = "debug:";
  for (; *debug_to; ++debug_to, ++s)
    if (*s != *debug_to) return false;
  c.log = Level::debug;
  return copy(s, c.log_file, sizeof c.log_file);
}

bool set_stack(const char* s, Config& c) { return parse_stacks(s, c.stack); }

bool set_stack_depth(const char* s, Config& c) {
  uint64_t depth;
  if (!parse_size(s, depth) || !depth || depth > 512) return false;
  return c.stack_depth = depth, true;
}

bool set_exact(const char* s, Config& c) { return parse_switch(s, c.exact); }
bool set_start(const char* s, Config& c) {
  if (!same(s, "on") && !same(s, "off")) return false;
  return c.starts = same(s, "on"), true;
}
bool set_disable(const char* s, Config& c) { return parse_switch(s, c.disabled); }
bool set_vdso(const char* s, Config& c) {
  if (!same(s, "on") && !same(s, "off")) return false;
  return c.vdso = same(s, "on"), true;
}

bool set_redact(const char* s, Config& c) { return parse_redaction(s, c.redaction); }

bool set_engine(const char* s, Config& c) { return copy(s, c.engine, sizeof c.engine); }

bool set_inject(const char* s, Config& c) { return copy(s, c.inject, sizeof c.inject); }

bool set_control(const char* s, Config& c) { return copy(s, c.control, sizeof c.control); }

bool set_cache(const char* s, Config& c) {
  c.caches = !same(s, "off");
  if (!c.caches || same(s, "on")) return c.cache[0] = 0, true;
  return *s == '/' && copy(s, c.cache, sizeof c.cache);
}

bool mark_calls(const char* text, uint64_t* numbers) {
  uint8_t traced[arch::number_limit];
  bool unknown;
  char bad[64];
  if (!parse_trace(text, traced, unknown, bad, sizeof bad)) return false;
  traced[wire::set_numbers - 1] = unknown;
  for (uint32_t nr = 0; nr < wire::set_numbers; ++nr)
    if (traced[nr]) numbers[nr / 64] |= uint64_t{1} << nr % 64;
  return true;
}

bool set_filter(const char* s, Config& c) {
  constexpr wire::Names names{mark_calls, arch::error_named};
  c.wrong = wire::compile(s, names, c.filter);
  return !c.wrong.why;
}

bool set_least(const char* s, Config& c) {
  uint64_t n = 0, unit = 0;
  if (*s < '0' || *s > '9') return false;
  for (; *s >= '0' && *s <= '9'; ++s)
    if (__builtin_mul_overflow(n, uint64_t{10}, &n) ||
        __builtin_add_overflow(n, uint64_t(*s - '0'), &n))
      return false;
  if (same(s, "ns")) unit = 1;
  if (same(s, "us")) unit = 1000;
  if (same(s, "ms")) unit = 1'000'000;
  if (same(s, "s")) unit = 1'000'000'000;
  if ((!unit && (n || *s)) || __builtin_mul_overflow(n, unit, &n) || n > INT64_MAX) return false;
  return c.least_ns = n, true;
}

bool set_sample(const char* s, Config& c) {
  uint64_t n;
  if (!parse_size(s, n) || !n || n > UINT32_MAX) return false;
  return c.sample = n, true;
}

// THE options: one row each. `what` ends the line that a bad value gets.
struct Option {
  const char* name;
  bool (*set)(const char*, Config&);
  const char* what;
};
constexpr Option options[] = {
    {"OUTPUT", set_output, "a directory"},
    {"TRACE", set_trace, "system calls as in strace -e trace="},
    {"CAPTURE", set_capture, "none, in, out or in,out"},
    {"STRSIZE", set_strsize, "a number of bytes or all, also CALLS=SIZE, separated by commas"},
    {"EXACT", set_exact, "0 or 1"},
    {"STACK", set_stack, "off, fp, unwind or auto"},
    {"STACK_DEPTH", set_stack_depth, "a number from 1 to 512"},
    {"MODE", set_mode, "stream, overwrite, discard, block or counts"},
    {"BUFFER", set_buffer, "a size from 64K to 1G"},
    {"MAX_SIZE", set_max_size, "a size"},
    {"FOLLOW", set_follow, "none, fork, exec or fork,exec"},
    {"COMM", set_comm, "program names"},
    {"DOORS", set_doors, "auto, trap or stub"},
    {"START", set_start, "on or off"},
    {"VDSO", set_vdso, "on or off"},
    {"FILTER", set_filter, "a filter such as dur>1ms || errno==ENOENT"},
    {"MIN_DURATION", set_least, "a time such as 10us"},
    {"SAMPLE", set_sample, "a number from 1 on"},
    {"REDACT", set_redact, "calls, fd=N or path=GLOB, separated by commas"},
    {"CACHE", set_cache, "on, off or a directory from the root on"},
    {"INJECT", set_inject, "injections as in strace -e inject="},
    {"ENGINE", set_engine, "libraries: LIB[=ARGS]:..."},
    {"CONTROL", set_control, "a socket, or wait: and a socket"},
    {"LOG", set_log, "off, error, warn, info, debug or debug:FILE"},
    {"DISABLE", set_disable, "0 or 1"},
};

void apply(const char* entry, Config& config, bool speak) {
  const char* name = entry + 8;  // behind SCTRACE_
  for (const Option& option : options) {
    uint64_t n = 0;
    while (option.name[n] && option.name[n] == name[n]) ++n;
    if (option.name[n] || name[n] != '=') continue;
    const char* value = name + n + 1;
    config.wrong = {};
    if (!option.set(value, config) && speak) {
      Line line;
      if (config.wrong.why) {
        line.text("SCTRACE_").text(option.name).text("=").text(value).text(": column ");
        line.number(config.wrong.column).text(": ").text(config.wrong.why);
        return say(Level::warn, line.text("; the default is used"));
      }
      say(Level::warn, line.text("SCTRACE_")
                           .text(option.name)
                           .text("=")
                           .text(value)
                           .text(": expected ")
                           .text(option.what)
                           .text("; the default is used"));
    }
    return;
  }
  uint64_t n = 0;
  while (entry[n] && entry[n] != '=') ++n;
  Line line;
  if (speak) say(Level::warn, line.text(entry, n).text(": no such setting; ignored"));
}

bool starts(const char* s, const char* prefix) {
  for (; *prefix; ++prefix, ++s)
    if (*s != *prefix) return false;
  return true;
}

bool ours(const char* entry) { return starts(entry, "SCTRACE_"); }

// --- the grammar of -e trace= ---

struct ClassName {
  const char* name;
  uint32_t bits;
};
constexpr ClassName classes[] = {
    {"file", arch::file},
    {"desc", arch::descriptor},
    {"process", arch::process},
    {"network", arch::network},
    {"net", arch::network},
    {"memory", arch::memory},
    {"signal", arch::signal},
    {"ipc", arch::ipc},
    {"creds", arch::creds},
    {"clock", arch::clock},
    {"stat", arch::stat_like},
    {"lstat", arch::lstat_like},
    {"fstat", arch::fstat_like},
    {"statfs", arch::statfs_like},
    {"fstatfs", arch::fstatfs_like},
    {"pure", arch::pure},
};

template <typename Match>
bool mark(uint8_t* traced, Match&& match) {
  bool any = false;
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr)
    if (name_of_call(nr) && match(nr)) traced[nr] = any = true;
  return any;
}

bool mark_word(const char* word, uint8_t* traced) {
  if (*word == '%') {
    const bool wide = word[1] == '%';  // %%stat: with its l, f and x relatives
    for (const ClassName& c : classes) {
      if (!same(word + 1 + wide, c.name)) continue;
      uint32_t bits = c.bits;
      if (wide && bits == arch::stat_like) bits |= arch::lstat_like | arch::fstat_like;
      if (wide && bits == arch::statfs_like) bits |= arch::fstatfs_like;
      mark(traced, [&](uint32_t nr) { return (classes_of_call(nr) & bits) != 0; });
      return true;
    }
    return false;
  }
  if (*word == '/') {
    regex_t regex;
    if (regcomp(&regex, word + 1, REG_EXTENDED | REG_NOSUB)) return false;
    mark(traced,
         [&](uint32_t nr) { return regexec(&regex, name_of_call(nr), 0, nullptr, 0) == 0; });
    regfree(&regex);
    return true;
  }
  const bool optional = *word == '?';
  return mark(traced, [&](uint32_t nr) { return same(name_of_call(nr), word + optional); }) ||
         optional;
}

}  // namespace

bool parse_trace(const char* text, uint8_t* traced, bool& unknown, char* bad, uint64_t bad_bytes) {
  uint8_t set[arch::number_limit] = {};
  const bool not_these = *text == '!';
  if (not_these) ++text;
  bool all = same(text, "all");
  const bool none = same(text, "none");
  for (const char* at = text; !all && !none;) {
    char word[128];
    uint64_t n = 0;
    while (*at && *at != ',' && n + 1 < sizeof word) word[n++] = *at++;
    word[n] = 0;
    if (same(word, "all"))
      all = true;
    else if (!n || !mark_word(word, set))
      return copy(word, bad, bad_bytes), false;
    if (!*at++) break;
  }
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr) traced[nr] = (all || set[nr]) != not_these;
  unknown = all != not_these;
  return true;
}

namespace {

// What is decided call by call has no say over counters.
void count_only(Config& config, bool speak) {
  config.ring_bytes = wire::counting_ring;
  const bool asks = config.filter.count || config.least_ns || config.sample > 1;
  if (asks && speak)
    say(Level::warn,
        "SCTRACE_MODE=counts: SCTRACE_FILTER, SCTRACE_MIN_DURATION and SCTRACE_SAMPLE are ignored");
  config.filter.count = 0;
  config.least_ns = 0, config.sample = 1;
}

}  // namespace

bool try_strsize(const char* text, Config& config) { return set_strsize(text, config); }

bool parse_stacks(const char* text, Stacks& stacks) {
  if (same(text, "off")) return stacks = Stacks::off, true;
  if (same(text, "fp")) return stacks = Stacks::fp, true;
  if (same(text, "unwind")) return stacks = Stacks::unwind, true;
  if (same(text, "auto")) return stacks = Stacks::automatic, true;
  return false;
}

namespace {

// Lines that came with an exec: these were complained about already.
void apply_lines(const char* lines, Config& config) {
  char setting[1200];
  for (const char* at = lines; *at;) {
    uint64_t n = 0;
    for (; *at && *at != '\n'; ++at)
      if (n + 1 < sizeof setting) setting[n++] = *at;
    setting[n] = 0;
    if (*at) ++at;
    const char* line = setting + (*setting == '!');
    if (ours(line)) apply(line, config, false);
  }
}

}  // namespace

void read_config(const char* const* environment, const char* settings, const char* told, bool speak,
                 Config& config) {
  for (uint8_t& t : config.traced) t = 1;
  for (uint64_t& size : config.strsize_of) size = config.strsize;
  config.traced_unknown = true;
  apply_lines(settings, config);
  for (const char* const* entry = environment; *entry; ++entry)
    if (ours(*entry) && !starts(*entry, "SCTRACE_INHERIT=")) apply(*entry, config, speak);
  apply_lines(told, config);
  if (config.mode == wire::Mode::counts) count_only(config, speak);
  if (config.least_ns) wire::require_duration(config.filter, config.least_ns);
  config.asks_for_paths = wire::asks_for(config.filter, wire::Field::path);
  config.asks_for_time = wire::asks_for(config.filter, wire::Field::dur);
}

}  // namespace sctrace::preload
