#include "preload/inject.h"

#include <asm/unistd.h>
#include <string.h>

#include <cerrno>

#include "formats/wire/inject.h"
#include "preload/call_names.h"
#include "preload/capture.h"
#include "preload/global.h"
#include "preload/services.h"

// A program of another libc loads us too, and never comes here.
#pragma weak strerrorname_np
#pragma weak sigabbrev_np

namespace sctrace::preload {
namespace {

using wire::Injection;

Injection rules[injections_most];
uint32_t rule_count;

bool same(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

bool set_of_calls(const char* text, uint8_t* calls, bool& unknown) {
  uint8_t traced[facts_most];
  char bad[64];
  if (!*text || !parse_trace(text, traced, unknown, bad, sizeof bad)) return false;
  for (uint32_t nr = 0; nr < facts_most; ++nr)
    if (traced[nr]) calls[nr / 8] |= static_cast<uint8_t>(1u << nr % 8);
  return true;
}

int error_named(const char* name) {
  constexpr struct {
    const char name[24];
    int number;
  } others[] = {{"EWOULDBLOCK", EAGAIN}, {"EDEADLOCK", EDEADLK},        {"ENOTSUP", EOPNOTSUPP},
                {"ERESTARTSYS", 512},    {"ERESTARTNOINTR", 513},       {"ERESTARTNOHAND", 514},
                {"ENOIOCTLCMD", 515},    {"ERESTART_RESTARTBLOCK", 516}};
  for (const auto& other : others)
    if (same(other.name, name)) return other.number;
  for (int n = 1; n < 200; ++n)
    if (const char* known = strerrorname_np(n); known && same(known, name)) return n;
  return 0;
}

int signal_named(const char* name) {
  for (int n = 1; n < 32; ++n)
    if (const char* known = sigabbrev_np(n); known && same(known, name)) return n;
  if (same(name, "RTMIN")) return 32;
  return 0;
}

// Which arguments are descriptors and which are paths, a bit each. Made of the table when this is
// compiled, so that no relocation comes with it.
struct Places {
  uint8_t descriptors[facts_most], paths[facts_most];
};
constexpr Places places = [] {
  Places made{};
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr)
    for (uint8_t i = 0; i < arch::table.rows[nr].arity; ++i) {
      const arch::Kind kind = arch::table.rows[nr].args[i].kind;
      const auto bit = static_cast<uint8_t>(1u << i);
      if (kind == arch::Kind::fd) made.descriptors[nr] |= bit;
      if (kind == arch::Kind::dirfd) made.descriptors[nr] |= bit;
      if (kind == arch::Kind::path) made.paths[nr] |= bit;
    }
  return made;
}();

// Shell patterns: * and ?, where a * goes over slashes too.
bool matches(const char* pattern, const char* text) {
  const char *star = nullptr, *from = nullptr;
  while (*text) {
    if (*pattern == '*') {
      star = ++pattern, from = text;
    } else if (*pattern == '?' || *pattern == *text) {
      ++pattern, ++text;
    } else if (star) {
      pattern = star, text = ++from;
    } else {
      return false;
    }
  }
  while (*pattern == '*') ++pattern;
  return !*pattern;
}

bool concerns(const Injection& rule, const sctrace_call& call) {
  const auto nr = static_cast<uint32_t>(call.asked);
  if (!rule.holds(nr)) return false;
  const uint8_t descriptors = nr < facts_most ? places.descriptors[nr] : 0;
  const uint8_t paths = nr < facts_most ? places.paths[nr] : 0;
  bool fd = rule.fd < 0, path = !*rule.path;
  for (int i = 0; i < 6; ++i) {
    if (!fd && descriptors >> i & 1) fd = static_cast<int32_t>(call.args[i]) == rule.fd;
    if (path || !(paths >> i & 1) || !call.args[i]) continue;
    char name[4096];
    const long n = services.read_string(name, call.args[i], sizeof name);
    path = n >= 0 && matches(rule.path, name);
  }
  return fd && path;
}

// The same numbers in each thread and each run with the same seed.
bool by_chance(const Injection& rule, uint32_t nth) {
  if (rule.chance >= 1'000'000) return true;
  uint64_t x = rule.seed + nth * 0x9e37'79b9'7f4a'7c15ull;
  x = (x ^ x >> 30) * 0xbf58'476d'1ce4'e5b9ull;
  x = (x ^ x >> 27) * 0x94d0'49bb'1331'11ebull;
  return (x ^ x >> 31) % 1'000'000 < rule.chance;
}

bool is_due(const Injection& rule, uint32_t nth) {
  if (nth < rule.first || nth > rule.last) return false;
  if (rule.step && (nth - rule.first) % rule.step) return false;
  return (rule.step || nth == rule.first) && by_chance(rule, nth);
}

// The rule for this call, if its turn has come: the last that concerns it, as with strace.
const Injection* rule_for(sctrace_call* call) {
  ThreadState& self = *reinterpret_cast<Shown*>(call)->self;
  for (uint32_t i = rule_count; i-- > 0;) {
    if (!concerns(rules[i], *call)) continue;
    uint32_t& nth = self.engaged.injected[i];
    if (!(call->flags & (SCTRACE_AGAIN | SCTRACE_REPORTED)) && nth != ~0u) ++nth;
    return is_due(rules[i], nth) ? &rules[i] : nullptr;
  }
  return nullptr;
}

// Signals wait meanwhile, as they do for strace's.
void delay(sctrace_call* call, uint64_t ns) {
  if (!ns) return;
  struct {
    int64_t seconds, ns;
  } until{};
  constexpr long monotonic = 1, absolute = 1;
  arch::raw_syscall(__NR_clock_gettime, monotonic, &until);
  const uint64_t sum = static_cast<uint64_t>(until.ns) + ns % 1'000'000'000;
  until.seconds += static_cast<int64_t>(ns / 1'000'000'000 + sum / 1'000'000'000);
  until.ns = static_cast<int64_t>(sum % 1'000'000'000);
  while (arch::raw_syscall(__NR_clock_nanosleep, monotonic, absolute, &until, 0) == -EINTR) {
  }
  reinterpret_cast<Shown*>(call)->flags |= wire::altered_delayed;
}

void poke(sctrace_call* call, const wire::Poke* pokes) {
  for (uint32_t i = 0; i < Injection::pokes_most; ++i)
    if (pokes[i].argument)
      services.write(call, call->args[pokes[i].argument - 1], pokes[i].data, pokes[i].bytes);
}

sctrace_choice entry(void*, sctrace_call* call, sctrace_choice choice) {
  const Injection* rule = rule_for(call);
  call->word = reinterpret_cast<uint64_t>(rule);
  if (!rule) return choice;
  poke(call, rule->enter);
  delay(call, rule->delay_enter);
  if (rule->signal) services.raise(call, rule->signal);
  if (!rule->answers) return choice;
  call->result = rule->result;
  return SCTRACE_SKIP;
}

void leave(void*, sctrace_call* call) {
  const auto* rule = reinterpret_cast<const Injection*>(call->word);
  if (!rule) return;
  poke(call, rule->exit);
  delay(call, rule->delay_exit);
}

int open(const char*, const sctrace_services*, void**) {
  for (uint64_t& word : being_opened->wants) word = 0;
  for (uint32_t i = 0; i < rule_count; ++i)
    for (uint32_t nr = 0; nr < facts_most; ++nr)
      if (rules[i].holds(nr)) being_opened->wants[nr / 64] |= 1ull << nr % 64;
  return 0;
}

// Made at run time: a constant one would be an object with relocations in a page of its own.
sctrace_engine engine;

void refuse(const char* bad, const char* expected) {
  Line line;
  say(complaint(), line.text("SCTRACE_INJECT: '")
                       .text(bad)
                       .text("': expected ")
                       .text(expected)
                       .text("; nothing is injected"));
}

}  // namespace

void open_injections(const char* text) {
  char one[1024], bad[512];
  constexpr wire::InjectionWords words{set_of_calls, error_named, signal_named};
  while (*text) {
    uint64_t n = 0;
    while (text[n] && text[n] != ' ') ++n;
    if (n >= sizeof one || rule_count == injections_most)
      return rule_count = 0, refuse(text, "16 injections of up to 1023 bytes");
    __builtin_memcpy(one, text, n);
    one[n] = 0;
    text += n;
    while (*text == ' ') ++text;
    if (!n) continue;
    Injection& rule = rules[rule_count];
    if (const char* expected = wire::parse_injection(one, words, rule, bad, sizeof bad))
      return rule_count = 0, refuse(bad, expected);
    if (!rule.seed) rule.seed = arch::ticks();
    ++rule_count;
  }
  engine = {.abi = SCTRACE_ENGINE_ABI,
            .size = sizeof engine,
            .flags = SCTRACE_BARE,
            .name = "inject",
            .open = open,
            .entry = entry,
            .exit = leave,
            .signal = nullptr,
            .life = nullptr};
  if (rule_count) try_add_engine(&engine, "");
}

}  // namespace sctrace::preload
