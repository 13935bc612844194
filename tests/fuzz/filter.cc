// Any text as a filter: it compiles or points at a column of itself, and what compiled can be asked
// of any call. Denying it turns its answer round.
#include <cstdlib>
#include <string>

#include "formats/wire/expression_parse.h"
#include "formats/wire/expression_paths.h"

using namespace sctrace::wire;

namespace {
bool mark_calls(const char* text, uint64_t* numbers) {
  numbers[0] |= uint64_t{1} << (*text & 63);
  return *text != '?';
}
int error_named(const char* name) { return *name == 'E' ? 2 : 0; }

void check(bool right) {
  if (!right) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  constexpr Names names{mark_calls, error_named};
  Expression filter, denied;
  const Wrong wrong = compile(text.c_str(), names, filter);
  if (wrong.why) {
    check(wrong.column >= 1 && wrong.column <= text.size() + 1 && filter.count == 0);
    return 0;
  }
  const bool fits =
      !compile(("!(" + text.substr(0, text.find('\0')) + ")").c_str(), names, denied).why;
  const uint64_t args[6] = {3, ~uint64_t{0}, 0x1000, 4096, 0, 1};
  Paths paths(filter);
  paths.add("/etc/passwd");
  for (const bool ended : {false, true}) {
    Known call{.ended = ended, .argc = 4, .fds = 1, .nr = 1, .pid = 7, .tid = 7, .args = args};
    call.result = -2, call.ns = 1000, call.paths = paths.bits();
    const Truth is = evaluate(filter, call);
    check(!ended || is != Truth::unknown);
    if (fits) check(evaluate(denied, call) == filter::opposite(is));
  }
  return 0;
}
