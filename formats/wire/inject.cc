#include "formats/wire/inject.h"

namespace sctrace::wire {
namespace {

bool same(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

const char* behind(const char* text, const char* prefix) {
  while (*prefix)
    if (*text++ != *prefix++) return nullptr;
  return text;
}

bool copy(const char* from, uint64_t n, char* to, uint64_t bytes) {
  const bool fits = n < bytes;
  if (!fits) n = bytes - 1;
  for (uint64_t i = 0; i < n; ++i) to[i] = from[i];
  to[n] = 0;
  return fits;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
int nibble(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Decimal or 0x; moves `at` behind it.
bool number(const char*& at, uint64_t& value) {
  const bool hex = at[0] == '0' && (at[1] | 0x20) == 'x';
  const uint64_t base = hex ? 16 : 10;
  if (hex) at += 2;
  const char* begin = at;
  for (value = 0; nibble(*at) >= 0 && static_cast<uint64_t>(nibble(*at)) < base; ++at)
    if (__builtin_mul_overflow(value, base, &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(nibble(*at)), &value))
      return false;
  return at != begin;
}

bool whole_number(const char* text, uint64_t& value) { return number(text, value) && !*text; }

bool result(const char* text, int64_t& value) {
  uint64_t n;
  const bool minus = *text == '-';
  if (!whole_number(text + minus, n)) return false;
  value = static_cast<int64_t>(minus ? 0 - n : n);
  return true;
}

// A number of microseconds, or with a unit.
bool delay(const char* text, uint64_t& ns) {
  uint64_t n;
  if (!is_digit(*text) || !number(text, n)) return false;
  const uint64_t unit = !*text || same(text, "us") ? 1000
                        : same(text, "ns")         ? 1
                        : same(text, "ms")         ? 1'000'000
                        : same(text, "s")          ? 1'000'000'000
                                                   : 0;
  return unit && !__builtin_mul_overflow(n, unit, &ns) && ns >> 62 == 0;
}

bool when(const char* text, Injection& made) {
  constexpr uint64_t most = 65535;
  uint64_t n;
  if (!number(text, n) || !n || n > most) return false;
  made.first = made.last = static_cast<uint32_t>(n), made.step = 0;
  if (const char* rest = behind(text, "..")) {
    text = rest;
    if (!number(text, n) || n < made.first || n > most) return false;
    made.last = static_cast<uint32_t>(n), made.step = 1;
  } else if (*text == '+') {
    made.last = ~0u;
  }
  if (*text != '+') return !*text;
  made.step = 1;
  if (!*++text) return true;
  if (!whole_number(text, n) || !n || n > most) return false;
  made.step = static_cast<uint32_t>(n);
  return true;
}

// 0.25, 1, 30%: in millionths.
bool chance(const char* text, uint32_t& millionths) {
  uint64_t value = 0, scale = 1'000'000;
  bool dot = false, digits = false;
  for (; is_digit(*text) || (*text == '.' && !dot); ++text) {
    if (*text == '.') {
      dot = true;
      continue;
    }
    digits = true;
    if (dot && scale == 1) continue;
    if (dot) scale /= 10;
    if (value > 1'000'000'000) return false;
    value = value * 10 + static_cast<uint64_t>(*text - '0');
  }
  value *= scale;
  if (*text == '%') value /= 100, ++text;
  if (!digits || *text || value > 1'000'000) return false;
  millionths = static_cast<uint32_t>(value);
  return true;
}

// @argN=HEX,@argM=HEX…
bool pokes(const char* text, Poke* out) {
  for (uint32_t n = 0; n < Injection::pokes_most; ++n) {
    Poke& poke = out[n];
    const char* at = behind(text, "@arg");
    if (!at || *at < '1' || *at > '6' || at[1] != '=') return false;
    poke = {};
    poke.argument = static_cast<uint8_t>(*at - '0');
    for (at += 2; nibble(at[0]) >= 0 && nibble(at[1]) >= 0; at += 2) {
      if (poke.bytes == sizeof poke.data) return false;
      poke.data[poke.bytes++] = static_cast<uint8_t>(nibble(at[0]) << 4 | nibble(at[1]));
    }
    if (!poke.bytes) return false;
    if (!*at) return true;
    if (*at != ',') return false;
    text = at + 1;
  }
  return false;
}

struct Parsing {
  Injection& made;
  const InjectionWords& words;
  bool acts = false, fails = false, returns = false, only_faults = false;
};

bool error(Parsing& p, const char* text) {
  uint64_t n = 0;
  if (is_digit(*text) ? !whole_number(text, n) : !(n = static_cast<uint64_t>(p.words.error(text))))
    return false;
  if (!n || n > 4095 || p.returns || p.fails) return false;
  p.made.result = -static_cast<int64_t>(n);
  return p.fails = p.made.answers = true;
}

bool signal(Parsing& p, const char* text) {
  uint64_t n = 0;
  if (const char* rest = behind(text, "SIG")) text = rest;
  if (is_digit(*text) ? !whole_number(text, n) : !(n = static_cast<uint64_t>(p.words.signal(text))))
    return false;
  p.made.signal = static_cast<int32_t>(n);
  return n >= 1 && n <= 64;
}

// strace makes a harmless call in place of the one that is not to be made; we make none.
bool instead(Parsing& p, const char* text) {
  uint8_t calls[64] = {};
  bool unknown;
  return *text && p.words.set(text, calls, unknown) && !unknown;
}

// Null, or what was expected in place of the value.
const char* option(Parsing& p, const char* text) {
  const char* v;
  uint64_t n;
  Injection& made = p.made;
  const auto expect = [&](bool good, bool acts, const char* what) {
    p.acts |= acts;
    return good ? nullptr : what;
  };
  if ((v = behind(text, "error=")))
    return expect(error(p, v), true, "an error's name, or a number from 1 to 4095, once");
  if ((v = behind(text, "when="))) return expect(when(v, made), false, "FIRST[..LAST][+[STEP]]");
  if ((v = behind(text, "prob=")))
    return expect(chance(v, made.chance), false, "a number from 0 to 1, or a percentage");
  if ((v = behind(text, "seed="))) return expect(whole_number(v, made.seed), false, "a number");
  if ((v = behind(text, "fd="))) {
    if (!whole_number(v, n) || n > 0x7fff'ffff) return "a descriptor's number";
    return made.fd = static_cast<int32_t>(n), nullptr;
  }
  if ((v = behind(text, "path="))) {
    uint64_t length = 0;
    while (v[length]) ++length;
    return expect(length && copy(v, length, made.path, sizeof made.path), false,
                  "a pattern of up to 127 bytes");
  }
  if (p.only_faults) return "error=, when=, prob=, path=, fd= or seed=";
  if ((v = behind(text, "retval="))) {
    const bool good = !p.returns && !p.fails && result(v, made.result);
    p.returns = made.answers = true;
    return expect(good, true, "a number, once");
  }
  if ((v = behind(text, "signal="))) return expect(signal(p, v), true, "a signal");
  if ((v = behind(text, "syscall="))) return expect(instead(p, v), false, "a call's name");
  if ((v = behind(text, "delay_enter=")))
    return expect(delay(v, made.delay_enter), true, "microseconds, or NUMBER{s|ms|us|ns}");
  if ((v = behind(text, "delay_exit=")))
    return expect(delay(v, made.delay_exit), true, "microseconds, or NUMBER{s|ms|us|ns}");
  if ((v = behind(text, "poke_enter=")))
    return expect(pokes(v, made.enter), true, "@argN=HEX of up to 48 bytes, up to three");
  if ((v = behind(text, "poke_exit=")))
    return expect(pokes(v, made.exit), true, "@argN=HEX of up to 48 bytes, up to three");
  return "error=, retval=, signal=, delay_enter=, …";
}

}  // namespace

const char* parse_injection(const char* text, const InjectionWords& words, Injection& made,
                            char* bad, uint64_t bad_bytes) {
  made = {};
  made.first = 1, made.last = ~0u, made.step = 1;
  made.chance = 1'000'000, made.fd = -1;
  Parsing p{.made = made, .words = words};
  if (const char* rest = behind(text, "inject=")) text = rest;
  if (const char* rest = behind(text, "fault=")) text = rest, p.only_faults = true;
  char word[512];
  for (bool is_first = true;; is_first = false) {
    uint64_t n = 0;
    while (text[n] && text[n] != ':') ++n;
    if (!copy(text, n, word, sizeof word)) return copy(word, 40, bad, bad_bytes), "a shorter word";
    const char* expected = is_first ? words.set(word, made.calls, made.unknown_calls)
                                          ? nullptr
                                          : "system calls as in trace="
                                    : option(p, word);
    if (expected) {
      uint64_t length = 0;
      while (word[length]) ++length;
      return copy(word, length, bad, bad_bytes), expected;
    }
    text += n;
    if (!*text++) break;
  }
  if (p.only_faults && !p.fails) made.result = -38, made.answers = p.acts = true;  // ENOSYS
  if (p.acts) return nullptr;
  return copy(word, sizeof word - 1, bad, bad_bytes), "error=, retval=, signal=, a delay or a poke";
}

}  // namespace sctrace::wire
