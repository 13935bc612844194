#include "formats/relay.h"

#include <utility>

namespace sctrace {

namespace {
template <class... Each>
struct Overloads : Each... {
  using Each::operator()...;
};
template <class... Each>
Overloads(Each...) -> Overloads<Each...>;  // clang 14 asks for it
}  // namespace

Relay::Relay(Sink& to, bool beside) : to_(to) {
  if (beside)
    beside_.emplace([&to](const std::vector<Telling>& batch) {
      for (const Telling& telling : batch) pass(to, telling);
    });
}

void Relay::pass(Sink& to, const Telling& telling) {
  std::visit(
      Overloads{[&](const Entered& one) { to.enter(one.event); },
                [&](const Left& one) { to.leave(one.event); },
                [&](const Arrival& one) { to.signal(one); },
                [&](const Birth& one) { to.birth(one); }, [&](const Naming& one) { to.name(one); },
                [&](const Death& one) { to.death(one); }, [&](const Loss& one) { to.lost(one); }},
      telling);
}

void Relay::tell(Telling&& telling, size_t bytes) {
  if (!beside_) return pass(to_, telling);
  beside_->push(std::move(telling), bytes);
}

void Relay::end(const Losses& losses) {
  if (beside_) beside_->end();
  to_.end(losses);
}

}  // namespace sctrace
