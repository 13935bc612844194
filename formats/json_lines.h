// JSON: one object a line for each call, signal, end of a process and loss. What each field means,
// its unit and how bytes that are no UTF-8 are written is in print.schema.json beside this file.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "formats/callers.h"
#include "formats/notation.h"

namespace sctrace {

// Appends a string of JSON with its quotes. UTF-8 stays; of anything else every byte becomes the
// character of the same number: then true.
bool put_json_string(std::string& to, std::string_view text);

class JsonLines : public Notation {
 public:
  void enter(const Event& event) override;
  void leave(const Event& event) override;
  void signal(const Where& to, uint32_t number, const Value& info, const Stack& stack) override;
  void gone(const Where& who, const Departure& how) override;
  void lost(const Where& of, uint64_t calls) override;
  void end(const read::Losses& all) override;

 private:
  void begin(const char* type, const Where& at);
  void call(const Event& event);

  std::map<uint32_t, Event> open_;  // by tid
  PerStack<std::string> stacks_;
};

}  // namespace sctrace
