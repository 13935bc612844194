#include "formats/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "arch/arguments.h"
#include "arch/errors.h"
#include "arch/table.h"
#include "formats/read/table.h"
#include "formats/text_filter.h"
#include "formats/wire/expression_parse.h"
#include "formats/wire/expression_paths.h"

namespace sctrace {

namespace {

bool mark_calls(const char* text, uint64_t* numbers) try {
  const CallSet set = call_set(text);
  for (uint32_t nr = 0; nr < wire::set_numbers; ++nr)
    if (set.test(nr)) numbers[nr / 64] |= uint64_t{1} << nr % 64;
  return true;
} catch (const std::invalid_argument&) {
  return false;
}

}  // namespace

wire::Expression filter_of(const std::string& text) {
  wire::Expression filter;
  constexpr wire::Names names{mark_calls, arch::error_named};
  const wire::Wrong wrong = wire::compile(text.c_str(), names, filter);
  if (wrong.why)
    throw std::invalid_argument(
        fmt::format("filter `{}`: column {}: {}", text, wrong.column, wrong.why));
  return filter;
}

bool passes(const wire::Expression& filter, const read::Call& call,
            const std::vector<std::string>& paths) {
  wire::Known known;
  known.ended = known.returns = call.ended;
  known.argc = call.argc;
  known.fds = arch::descriptor_arguments(read::lookup(call.nr));
  known.nr = call.nr, known.pid = call.pid, known.tid = call.tid;
  known.args = call.args;
  known.result = call.result;
  known.ns = call.finished - std::min(call.began, call.finished);
  wire::Paths seen(filter);
  for (const std::string& path : paths) seen.add(path.c_str());
  known.paths = seen.bits();
  return wire::evaluate(filter, known) == wire::Truth::yes;
}

}  // namespace sctrace
