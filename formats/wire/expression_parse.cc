#include "formats/wire/expression_parse.h"

namespace sctrace::wire {
namespace {

class Parser {
 public:
  Parser(const char* text, const Names& names, Expression& to)
      : start_(text), at_(text), names_(names), to_(to) {}

  Wrong parse() {
    to_ = Expression();
    if (filter(0) && (blanks(), *at_)) fail("expected && or || or the end");
    if (wrong_.why) to_ = Expression();
    return wrong_;
  }

 private:
  bool fail(const char* why) { return fail(why, at_); }
  bool fail(const char* why, const char* where) {
    if (!wrong_.why) wrong_ = {why, static_cast<uint32_t>(where - start_) + 1};
    return false;
  }
  void blanks() {
    while (*at_ == ' ' || *at_ == '\t') ++at_;
  }
  bool takes(const char* word) {
    const char* at = at_;
    for (; *word; ++word, ++at)
      if (*word != *at) return false;
    at_ = at;
    return true;
  }
  bool add(const Test& test) {
    if (to_.count == tests_most) return fail("too long: 64 comparisons and operators at most");
    to_.tests[to_.count++] = test;
    return true;
  }
  bool operate(Op op) {
    Test test;
    test.op = op;
    return add(test);
  }

  bool filter(int depth) {
    if (depth > depth_most) return fail("nested too deeply");
    if (!both(depth)) return false;
    while (blanks(), takes("||"))
      if (!both(depth) || !operate(Op::either)) return false;
    return true;
  }
  bool both(int depth) {
    if (!one(depth)) return false;
    while (blanks(), takes("&&"))
      if (!one(depth) || !operate(Op::both)) return false;
    return true;
  }
  bool one(int depth) {
    blanks();
    bool negated = false;
    for (; *at_ == '!'; blanks()) ++at_, negated = !negated;
    if (*at_ == '(') {
      ++at_;
      if (!filter(depth + 1)) return false;
      blanks();
      if (!takes(")")) return fail("expected )");
    } else if (!test()) {
      return false;
    }
    return !negated || operate(Op::negate);
  }

  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  bool field(Test& test) {
    static constexpr struct {
      char name[6];
      Field field;
    } fields[] = {{"name", Field::name}, {"nr", Field::nr},   {"fd", Field::fd},
                  {"path", Field::path}, {"ret", Field::ret}, {"errno", Field::error},
                  {"dur", Field::dur},   {"pid", Field::pid}, {"tid", Field::tid}};
    const char* begin = at_;
    for (const auto& one : fields) {
      if (takes(one.name) && !is_word(*at_)) return test.field = one.field, true;
      at_ = begin;
    }
    if (takes("arg") && *at_ >= '0' && *at_ <= '5' && !is_word(at_[1])) {
      test.field = Field::arg, test.argument = static_cast<uint8_t>(*at_++ - '0');
      return true;
    }
    return fail("expected name, nr, fd, path, ret, errno, dur, pid, tid or arg0 to arg5", begin);
  }

  bool comparison(Test& test) {
    static constexpr struct {
      char text[3];
      Compare compare;
    } all[] = {{"==", Compare::equal},    {"!=", Compare::unequal}, {"<=", Compare::at_most},
               {">=", Compare::at_least}, {"!~", Compare::unlike},  {"<", Compare::less},
               {">", Compare::more},      {"~", Compare::like},     {"=", Compare::equal}};
    blanks();
    const char* begin = at_;
    const bool equality = test.field == Field::name || test.field == Field::path;
    if (*at_ == '&' && at_[1] != '&' && !equality) return ++at_, test.compare = Compare::bits, true;
    for (const auto& one : all) {
      if (!takes(one.text)) continue;
      test.compare = one.compare;
      const bool like = one.compare == Compare::like || one.compare == Compare::unlike;
      const bool same = one.compare == Compare::equal || one.compare == Compare::unequal;
      if (like && test.field != Field::path) return fail("~ is for paths", begin);
      if (equality && !like && !same) return fail("expected == or != here", begin);
      return true;
    }
    return fail("expected == != < <= > >= & or ~", begin);
  }

  bool test() {
    Test test;
    if (!field(test) || !comparison(test)) return false;
    blanks();
    const bool good = test.field == Field::name   ? calls(test)
                      : test.field == Field::path ? path(test)
                                                  : number(test);
    return good && add(test);
  }

  // A word, or what stands in quotes, into `to`.
  bool text(char* to, uint32_t most, uint32_t& length) {
    const char* begin = at_;
    const char quote = *at_ == '"' || *at_ == '\'' ? *at_++ : '\0';
    length = 0;
    const auto ends = [&](char c) {
      if (!c || quote) return !c || c == quote;
      return c == ' ' || c == '\t' || c == '(' || c == ')' || c == '&' || c == '|' || c == '"';
    };
    for (; !ends(*at_); ++at_) {
      if (quote && *at_ == '\\' && at_[1]) ++at_;
      if (length + 1 >= most) return fail("too long", begin);
      to[length++] = *at_;
    }
    to[length] = 0;
    if (quote && *at_++ != quote) return --at_, fail("a quote is not closed", begin);
    return length ? true : fail("expected a value", begin);
  }

  bool calls(Test& test) {
    char word[256];
    uint32_t length;
    const char* begin = at_;
    if (!text(word, sizeof word, length)) return false;
    if (to_.set_count == sets_most) return fail("too many sets of calls: 8 at most", begin);
    if (!names_.calls(word, to_.sets[to_.set_count])) return fail("no such call", begin);
    test.text = to_.set_count++;
    return true;
  }

  bool path(Test& test) {
    uint32_t length;
    if (!text(to_.texts + to_.text_bytes, texts_most - to_.text_bytes, length)) return false;
    test.text = to_.text_bytes;
    to_.text_bytes = static_cast<uint16_t>(to_.text_bytes + length + 1);
    return true;
  }

  bool number(Test& test) {
    const char* begin = at_;
    if (test.field == Field::error && !(*at_ >= '0' && *at_ <= '9')) return error(test);
    const bool minus = *at_ == '-' && test.field != Field::dur;
    if (minus) ++at_;
    uint64_t n = 0, parts = 0;
    if (!digits(n, parts) || n > INT64_MAX) return fail("expected a number", begin);
    uint64_t unit = 1;
    if (!suffix(test.field == Field::dur, unit)) return fail("no such unit", begin);
    constexpr uint64_t millionth = 1'000'000;
    if (__builtin_mul_overflow(n, unit, &n) ||
        __builtin_add_overflow(n, parts * unit / millionth, &n) || n > INT64_MAX)
      return fail("too large", begin);
    if (is_word(*at_)) return fail("expected a number", begin);
    test.value = minus ? -static_cast<int64_t>(n) : static_cast<int64_t>(n);
    return true;
  }

  // Digits, of a fraction six: `parts` millionths.
  bool digits(uint64_t& n, uint64_t& parts) {
    const bool hex = *at_ == '0' && (at_[1] == 'x' || at_[1] == 'X');
    if (hex) at_ += 2;
    const char* begin = at_;
    for (int digit; (digit = digit_of(*at_, hex)) >= 0; ++at_)
      if (__builtin_mul_overflow(n, uint64_t{hex ? 16u : 10u}, &n) ||
          __builtin_add_overflow(n, static_cast<uint64_t>(digit), &n))
        return false;
    if (at_ == begin) return false;
    if (hex || *at_ != '.') return true;
    uint64_t place = 100'000;
    for (++at_; *at_ >= '0' && *at_ <= '9'; ++at_, place /= 10)
      parts += place * static_cast<uint64_t>(*at_ - '0');
    return true;
  }
  static int digit_of(char c, bool hex) {
    if (c >= '0' && c <= '9') return c - '0';
    if (hex && c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (hex && c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }

  bool suffix(bool time, uint64_t& unit) {
    if (!is_word(*at_)) return true;
    static constexpr struct {
      char text[3];
      bool time;
      uint64_t unit;
    } units[] = {{"ns", true, 1},         {"us", true, 1000},
                 {"ms", true, 1'000'000}, {"s", true, 1'000'000'000},
                 {"K", false, 1 << 10},   {"M", false, 1 << 20},
                 {"G", false, 1 << 30}};
    for (const auto& one : units)
      if (one.time == time && takes(one.text)) return unit = one.unit, true;
    return false;
  }

  bool error(Test& test) {
    char word[32];
    uint32_t n = 0;
    const char* begin = at_;
    for (; is_word(*at_) && n + 1 < sizeof word; ++at_) word[n++] = *at_;
    word[n] = 0;
    test.value = names_.error(word);
    return test.value ? true : fail("no such error", begin);
  }

  const char *start_, *at_;
  const Names& names_;
  Expression& to_;
  Wrong wrong_;
};

}  // namespace

Wrong compile(const char* text, const Names& names, Expression& to) {
  return Parser(text, names, to).parse();
}

bool require_duration(Expression& all, uint64_t ns) {
  const bool alone = all.count == 0;
  if (all.count + 2u > tests_most) return false;
  Test test;
  test.field = Field::dur, test.compare = Compare::at_least, test.value = static_cast<int64_t>(ns);
  all.tests[all.count++] = test;
  if (alone) return true;
  Test both;
  both.op = Op::both;
  all.tests[all.count++] = both;
  return true;
}

}  // namespace sctrace::wire
