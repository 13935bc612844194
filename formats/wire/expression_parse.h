// The grammar of filters, for both sides:
//   filter  = both { "||" both } ·  both = one { "&&" one } ·  one = "!" one | "(" filter ")" |
//   test test    = FIELD COMPARISON VALUE    name nr fd path ret errno dur pid tid arg0 … arg5
//   COMPARISON  == != < <= > >= ·  & any of these bits ·  ~ !~ like, with * and ? (path)
//   VALUE   a number (0x…, K M G), a time (ns us ms s), the name of an error, a path or a set of
//           calls as in -e trace=, in quotes where it holds a blank or one of ( ) & | "
// Who compiles says what calls and errors are called: this header knows nobody.
#pragma once
#include "formats/wire/expression.h"

namespace sctrace::wire {

struct Names {
  bool (*calls)(const char* text, uint64_t* numbers);  // marks bits; false: no such set
  int (*error)(const char* name);                      // 0: none of that name
};

// Compiles `text`. Where it is wrong, `to` lets every call through.
Wrong compile(const char* text, const Names& names, Expression& to);

// And only calls that take at least so long. False: there is no room for that.
bool require_duration(Expression& all, uint64_t ns);

}  // namespace sctrace::wire
