// Values of an event as <sctrace/reader.h> gives them: C structs that point into the event, made
// when somebody asks and thrown away with it.
#pragma once
#include <deque>
#include <vector>

#include "formats/event.h"
#include "formats/reader/sctrace/reader.h"

namespace sctrace {

class Values {
 public:
  // `name`: that of an argument, where the value has none of its own. Both outlive clear().
  const sctrace_reader_value* made(const Value& value, const char* name = "");
  // What it was made of; null: not one of ours.
  const Value* origin(const sctrace_reader_value* made) const;
  void clear();

 private:
  struct Node {
    sctrace_reader_value value;
    const Value* origin;
    std::vector<const sctrace_reader_value*> items;
  };
  std::deque<Node> nodes_;  // they stay where they are
};

}  // namespace sctrace
