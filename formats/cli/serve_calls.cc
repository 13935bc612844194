#include "formats/cli/serve_calls.h"

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <stdexcept>

#include "formats/filter.h"
#include "formats/groups.h"
#include "formats/json_lines.h"
#include "formats/read/decode.h"
#include "formats/read/files.h"
#include "formats/read/netlink.h"
#include "formats/text_filter.h"

namespace sctrace::cli {

namespace {

struct Wish {
  CallSet calls = CallSet().set();
  wire::Expression filter;
  uint64_t limit = 100;
};

uint64_t number(const std::string& text) {
  uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n < 1 || n > 10000)
    throw std::invalid_argument("limit= is a number from 1 to 10000");
  return n;
}

Wish wish_of(const std::map<std::string, std::string>& query) {
  Wish wish;
  for (const auto& [name, value] : query)
    if (name == "trace")
      wish.calls = call_set(value);
    else if (name == "filter")
      wish.filter = filter_of(value);
    else if (name == "limit")
      wish.limit = number(value);
    else if (name != "token")
      throw std::invalid_argument("no parameter `" + name + "` here");
  return wish;
}

// Tells of each call that is wanted and came back.
class Walk {
 public:
  Walk(const read::Trace& trace, const Wish& wish) : timeline_(trace), wish_(wish) {}

  void run(const std::function<void(const read::Call&)>& tell) {
    for (read::Item item; timeline_.next(item);) {
      if (item.kind == read::Item::Kind::thread) files.begin(*item.thread);
      if (item.kind == read::Item::Kind::enter) files.enter(item.call->made());
      if (item.kind != read::Item::Kind::leave) continue;
      const read::Call& call = *item.call;
      files.learn(call.made());
      if (wants(call)) tell(call);
      files.forget(call.made());
    }
  }
  read::Files files;

 private:
  bool wants(const read::Call& call) const {
    if (!wish_.calls.test(std::min(call.nr, arch::number_limit))) return false;
    const bool by_path = wire::asks_for(wish_.filter, wire::Field::path);
    return passes(wish_.filter, call, by_path ? paths_of(call, files) : std::vector<std::string>());
  }
  read::Timeline timeline_;
  const Wish& wish_;
};

}  // namespace

// Twice through the records, for only what is answered is decoded: that is what takes long.
std::string calls_json(const read::Trace& trace, const std::map<std::string, std::string>& query) {
  const Wish wish = wish_of(query);
  uint64_t matched = 0, seen = 0;
  Walk(trace, wish).run([&](const read::Call&) { ++matched; });
  JsonLines lines;
  lines.wall_offset = static_cast<uint64_t>(trace.clock().realtime_offset());
  read::NetlinkSockets sockets;
  Walk walk(trace, wish);
  walk.run([&](const read::Call& call) {
    if (seen++ + wish.limit >= matched) lines.leave(read::decode(call, &walk.files, &sockets));
  });
  std::string all = std::move(lines.out());
  if (all.ends_with('\n')) all.pop_back();
  for (size_t at = 0; (at = all.find('\n', at)) != std::string::npos; at += 2)
    all.replace(at, 1, ",\n");
  return fmt::format("{{\"matched\": {}, \"calls\": [\n{}]}}\n", matched, all);
}

}  // namespace sctrace::cli
