#include "formats/phrase.h"

#include <fmt/format.h>

#include "arch/table.h"
#include "formats/read/table.h"

namespace sctrace {

std::string_view argument_name(const Event& e, size_t index) {
  static constexpr std::string_view plain[] = {"arg0", "arg1", "arg2", "arg3", "arg4", "arg5"};
  if (index < e.args.size() && !e.args[index].name.empty()) return e.args[index].name;
  const arch::Row& row = read::lookup(e.nr);
  if (index < row.arity && row.whole && row.args[index].name) return row.args[index].name;
  return index < std::size(plain) ? plain[index] : "more";
}

std::string phrase(const Event& e, const TextOptions& words) {
  std::string text;
  put_phrase(text, e, words);
  return text;
}

void put_phrase(std::string& text, const Event& e, const TextOptions& words) {
  (text += e.name) += '(';
  bool first = true;
  for (const Value& v : e.args) {
    if (v.kind == Value::Kind::absent) continue;
    if (!first) text += ", ";
    first = false;
    if (!v.name.empty()) (text += v.name) += '=';
    append_shown(text, v, words);
  }
  append_result(text += ") ", e, words);
}

std::string phrase(const Death& death) {
  switch (death.how) {
    case Death::How::unknown: return "";
    case Death::How::exited: return fmt::format("exited with {}", death.status);
    case Death::How::killed:
      return fmt::format("killed by {}{}", signal_name(death.signal),
                         death.core ? " (core dumped)" : "");
  }
  return "";
}

std::string phrase(const Loss& loss) {
  if (!loss.calls) return "calls are missing here, nobody knows how many";
  return fmt::format("{} call{} missing here", loss.calls, loss.calls == 1 ? " is" : "s are");
}

std::string on_a_line(std::string_view name, size_t most) {
  std::string line(name.substr(0, most));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return line;
}

std::vector<Missing> missing(const Losses& l) {
  struct Kind {
    const char *name, *one, *more;
    uint64_t count;
  };
  const Kind kinds[] = {
      {"lost", "call lost for want of room", "calls lost for want of room", l.calls},
      {"gaps", "gap of unknown length", "gaps of unknown length", l.gaps},
      {"rolled_over", "block overwritten by a newer one", "blocks overwritten by newer ones",
       l.rolled_over},
      {"cut", "buffer kept shorter than it was", "buffers kept shorter than they were",
       l.cut + l.cut_here},
      {"untraced", "call seen but left alone", "calls seen but left alone", l.untraced},
      {"orphans", "result whose call is missing", "results whose call is missing", l.orphans},
      {"damaged", "place in the files that makes no sense",
       "places in the files that make no sense", l.damaged},
      {"clock_uncertain", "clock without two readings 0.1 ms apart: times are a guess", "",
       l.clock_uncertain},
  };
  std::vector<Missing> all;
  for (const Kind& kind : kinds)
    if (kind.count) all.push_back({kind.name, kind.count == 1 ? kind.one : kind.more, kind.count});
  return all;
}

}  // namespace sctrace
