// Between the feed and a sink: hands over what happened, to another thread if that is wanted.
#pragma once
#include <optional>
#include <variant>

#include "formats/format.h"
#include "formats/handover.h"

namespace sctrace {

class Relay {
 public:
  struct Entered {
    Event event;
  };
  struct Left {
    Event event;
  };
  using Telling = std::variant<Entered, Left, Arrival, Birth, Naming, Death, Loss>;

  // Without a thread of its own, each is told at once.
  Relay(Sink& to, bool beside);
  // `bytes`: what it holds, roughly.
  void tell(Telling&& telling, size_t bytes = 0);
  void end(const Losses& losses);

 private:
  static void pass(Sink& to, const Telling& telling);

  Sink& to_;
  std::optional<Handover<Telling>> beside_;
};

}  // namespace sctrace
