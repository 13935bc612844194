// The tables of a thread in Firefox' profile: stacks made of frames made of functions, each told
// once; and the strings that all threads share. They grow with what differs, not with the calls.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/event.h"

namespace sctrace::firefox {

class Strings {
 public:
  uint32_t id_of(std::string_view text);
  std::string json() const;

 private:
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<const std::string*> all_;  // the keys of ids_
};

class Tables {
 public:
  // The stack of a call: its callers, and the call itself innermost.
  uint32_t stack_of(const Event& event, Strings& strings, int category);
  // "stackTable":{…},"frameTable":{…}, … without the braces around them
  std::string json() const;

 private:
  struct Stack {
    int64_t prefix = -1;  // -1: outermost
    uint32_t frame = 0;
    int category = 0;
  };
  uint32_t frame_of(uint32_t name);
  uint32_t stack_over(int64_t prefix, uint32_t frame, int category);

  std::vector<uint32_t> frames_;  // a frame is a function here: the string of its name
  std::unordered_map<uint32_t, uint32_t> frame_of_;
  std::vector<Stack> stacks_;
  std::map<std::pair<int64_t, uint32_t>, uint32_t> stack_of_;
};

}  // namespace sctrace::firefox
