// Folded stacks: `process;thread;caller;call WEIGHT`, one line a place, as flamegraph.pl, inferno
// and speedscope read them. By time (ns), count or bytes.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "formats/call_tree.h"
#include "formats/format.h"
#include "formats/text.h"
#include "formats/utf8.h"

namespace sctrace {

namespace {

// What would end a name or a line early, and what is no UTF-8, is written as C would.
std::string plain(std::string_view name) {
  std::string all;
  while (!name.empty()) {
    const size_t size = std::max<size_t>(utf8_character(name), 1);
    const auto byte = static_cast<unsigned char>(name[0]);
    if (byte == ';')
      all += ':';
    else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && size == 1))
      all += fmt::format("\\{:03o}", byte);
    else
      all += name.substr(0, size);
    name.remove_prefix(size);
  }
  return all;
}

class Folded final : public Sink {
 public:
  Folded(Output& to, const Session& session, bool alike) : to_(to), by_(session.by), tree_(alike) {}
  void birth(const Birth& b) override { tree_.birth(b); }
  void name(const Naming& n) override { tree_.name(n); }
  void leave(const Event& e) override { tree_.add(e); }
  void lost(const Loss& loss) override { tree_.lost(loss); }

  void end(const Losses&) override {
    for (uint32_t node = 1; node < tree_.nodes().size(); ++node) {
      const CallTree::Node& one = tree_.nodes()[node];
      if (one.kind == CallTree::Kind::call)
        line(node, by_ == Weigh::count   ? one.self.calls
                   : by_ == Weigh::bytes ? one.self.bytes
                                         : one.self.ns);
      else if (one.kind == CallTree::Kind::loss)  // how long they took is lost with them
        line(node, by_ == Weigh::count ? one.self.calls : 0);
    }
  }

 private:
  void line(uint32_t node, uint64_t weight) {
    std::string text;
    for (const uint32_t part : tree_.path(node))
      text += (text.empty() ? "" : ";") + plain(tree_.name_of(part));
    to_.write(fmt::format("{} {}\n", text, weight));
  }

  Output& to_;
  Weigh by_;
  CallTree tree_;
};

}  // namespace

extern const Format folded;
const Format folded{.name = "folded",
                    .help = "folded stacks for flamegraph.pl, --by time, count or bytes",
                    .target = Target::stream,
                    .leave = Detail::raw,
                    .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                      return std::make_unique<Folded>(to, session, false);
                    }};

// For `diff`: without what differs between any two runs.
extern const Format folded_alike;
const Format folded_alike{.name = "folded",
                          .help = "",
                          .target = Target::stream,
                          .leave = Detail::raw,
                          .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                            return std::make_unique<Folded>(to, session, true);
                          }};

}  // namespace sctrace
