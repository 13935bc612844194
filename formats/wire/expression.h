// A filter as both sides run it: an expression on what is known of a call, compiled once
// (expression_parse.h) to steps in postfix order. Three truths: what a call has not said yet is
// unknown, so that whatever can be decided at its entry is. A comparison with what a call does not
// have (the descriptor of getpid) is not true. Runs without memory, locks or libc.
#pragma once
#include <cstdint>

namespace sctrace::wire {

// Where a filter makes no sense, and why: columns count from 1. `why` null: it does.
struct Wrong {
  const char* why = nullptr;
  uint32_t column = 0;
};

enum class Truth : uint8_t { no = 0, unknown = 1, yes = 2 };

enum class Field : uint8_t {
  name,  // by strace's -e trace= grammar
  nr,
  fd,     // any descriptor among the arguments
  path,   // any file name among them
  ret,    // as the program sees it: -1 where it failed
  error,  // `errno`: 0 where it did not fail
  dur,    // nanoseconds
  pid,
  tid,
  arg  // arg0 … arg5
};

enum class Compare : uint8_t { equal, unequal, less, at_most, more, at_least, like, unlike, bits };

enum class Op : uint8_t { compare, both, either, negate };

struct Test {
  Op op = Op::compare;
  Field field = Field::nr;
  Compare compare = Compare::equal;
  uint8_t argument = 0;  // which, for Field::arg
  uint16_t text = 0;     // Field::path: where in `texts`; Field::name: which of `sets`
  int64_t value = 0;
};

inline constexpr uint32_t tests_most = 64, texts_most = 1024, sets_most = 8, set_numbers = 512;
inline constexpr int depth_most = 16;  // of brackets; bounds the truths that wait, too

struct Expression {
  Test tests[tests_most] = {};
  uint8_t count = 0;  // 0: every call
  uint8_t set_count = 0;
  uint16_t text_bytes = 0;
  char texts[texts_most] = {};
  uint64_t sets[sets_most][set_numbers / 64] = {};  // bit: number; the last, whatever lies beyond
};

// What is known of one call.
struct Known {
  bool number_only = false;  // of a kind of call: nothing but its number
  bool ended = false, returns = true;
  uint8_t argc = 0, fds = 0;  // fds: bit i, argument i is a descriptor
  uint32_t nr = 0, pid = 0, tid = 0;
  const uint64_t* args = nullptr;
  int64_t result = 0;  // as in rax
  uint64_t ns = 0;     // how long it took
  uint64_t paths = 0;  // bit i: what test i asks of a path is so
};

namespace filter {

inline Truth truth(bool is) { return is ? Truth::yes : Truth::no; }

template <class T>
bool holds(T a, Compare how, T b) {
  switch (how) {
    case Compare::equal: return a == b;
    case Compare::unequal: return a != b;
    case Compare::less: return a < b;
    case Compare::at_most: return a <= b;
    case Compare::more: return a > b;
    case Compare::at_least: return a >= b;
    case Compare::bits: return (a & b) != 0;
    default: return false;
  }
}

// Arguments have no sign of their own: beside a negative number 32 bits are one with a sign.
inline bool holds_argument(uint64_t a, Compare how, int64_t b) {
  if (b >= 0) return holds(a, how, static_cast<uint64_t>(b));
  const bool narrow = a >> 32 == 0;
  return holds(narrow ? int64_t{static_cast<int32_t>(a)} : static_cast<int64_t>(a), how, b);
}

inline Truth of_fd(const Test& test, const Known& call) {
  for (uint8_t i = 0; i < call.argc && i < 6; ++i)
    if (call.fds >> i & 1 &&
        holds(int64_t{static_cast<int32_t>(call.args[i])}, test.compare, test.value))
      return Truth::yes;
  return Truth::no;
}

inline Truth of_end(const Test& test, const Known& call) {
  if (!call.returns) return Truth::no;
  if (!call.ended) return Truth::unknown;
  const bool failed = call.result < 0 && call.result >= -4095;
  switch (test.field) {
    case Field::ret:
      return truth(holds(failed ? int64_t{-1} : call.result, test.compare, test.value));
    case Field::error:
      return truth(holds(failed ? -call.result : int64_t{0}, test.compare, test.value));
    default: return truth(holds(call.ns, test.compare, static_cast<uint64_t>(test.value)));
  }
}

inline Truth of(const Expression& all, uint32_t index, const Known& call) {
  const Test& test = all.tests[index];
  const uint32_t nr = call.nr < set_numbers ? call.nr : set_numbers - 1;
  if (test.field == Field::name) {
    const bool in = all.sets[test.text % sets_most][nr / 64] >> nr % 64 & 1;
    return truth(in == (test.compare == Compare::equal));
  }
  if (test.field == Field::nr)
    return truth(holds(static_cast<int64_t>(call.nr), test.compare, test.value));
  if (call.number_only) return Truth::unknown;
  switch (test.field) {
    case Field::fd: return of_fd(test, call);
    case Field::path: return truth(call.paths >> index & 1);
    case Field::pid: return truth(holds(int64_t{call.pid}, test.compare, test.value));
    case Field::tid: return truth(holds(int64_t{call.tid}, test.compare, test.value));
    case Field::arg:
      if (test.argument >= call.argc) return Truth::no;
      return truth(holds_argument(call.args[test.argument], test.compare, test.value));
    default: return of_end(test, call);
  }
}

inline Truth smaller(Truth a, Truth b) { return a < b ? a : b; }
inline Truth larger(Truth a, Truth b) { return a < b ? b : a; }
inline Truth opposite(Truth a) { return static_cast<Truth>(2 - static_cast<int>(a)); }

}  // namespace filter

inline Truth evaluate(const Expression& all, const Known& call) {
  Truth stack[tests_most] = {Truth::yes};  // no test: every call
  uint32_t top = 0;
  // Bounded whatever the steps say: `ctl filter` may replace them while a thread is in here.
  const auto at = [&stack](uint32_t place) -> Truth& { return stack[place % tests_most]; };
  for (uint32_t i = 0; i < all.count && i < tests_most; ++i) {
    switch (all.tests[i].op) {
      case Op::compare: stack[top++ % tests_most] = filter::of(all, i, call); break;
      case Op::negate: at(top - 1) = filter::opposite(at(top - 1)); break;
      case Op::both: --top, at(top - 1) = filter::smaller(at(top - 1), at(top)); break;
      case Op::either: --top, at(top - 1) = filter::larger(at(top - 1), at(top)); break;
    }
  }
  return stack[0];
}

inline bool asks_for(const Expression& all, Field field) {
  for (uint32_t i = 0; i < all.count; ++i)
    if (all.tests[i].op == Op::compare && all.tests[i].field == field) return true;
  return false;
}

// `*` any characters, `?` one of them.
inline bool is_like(const char* text, const char* pattern) {
  const char *again = nullptr, *from = nullptr;
  while (*text) {
    if (*pattern == '*')
      again = ++pattern, from = text;
    else if (*pattern == '?' || *pattern == *text)
      ++pattern, ++text;
    else if (again)
      pattern = again, text = ++from;
    else
      return false;
  }
  while (*pattern == '*') ++pattern;
  return !*pattern;
}

}  // namespace sctrace::wire
