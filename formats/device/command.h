// A controller's line → a Command (a frame → one: packed.h). It knows the words of the protocol and
// how values are written; what they mean for a call at hand, rewrite.h and hub.h know.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sctrace::device {

struct Command {
  enum class Verb : uint8_t {
    trace,     // `text`: a set of calls
    signals,   // `on`
    limit,     // `length` bytes of each buffer in reports
    patience,  // `length` ns until a report without an answer is answered by cont; 0: never
    cont,
    step,
    skip,    // `result`
    set,     // `argument`, `text`
    get,     // `argument`; with `ranged`: `offset`, `length`
    result,  // `result`: ok and fail
    deliver,
    drop,
    signal,  // `result`: its number
    call,    // `text` is its name, `arguments`
    made,    // the same by number: `number`, `args`, `blocks`
    packed,  // frames from now on
    text,    // lines again
  };
  Verb verb = Verb::cont;
  uint32_t pid = 0, tid = 0;  // whom it is for; 0: the oldest without an answer
  std::string text;
  std::vector<std::string> arguments;  // of a call, as written
  int64_t result = 0;
  uint32_t argument = 0;  // from 0
  uint64_t offset = 0, length = 0;
  bool on = false, ranged = false;
  struct Block {
    uint32_t argument = 0;  // from 1: that points there; 0: none
    std::string bytes;
    std::vector<std::pair<uint32_t, uint32_t>> pointers;  // where, and at which block
  };
  uint32_t number = 0;
  uint64_t args[6] = {};
  std::vector<Block> blocks;
};

// Empty, or why the line makes no sense.
std::string parse_command(std::string_view line, Command& made);

// "…" with C's escapes → bytes. False: it is no such string.
bool unquoted(std::string_view text, std::string& bytes);
// Decimal, 0x hexadecimal, 0 octal, with or without a sign. False: it is no number.
bool number_in(std::string_view text, int64_t& value);
std::string quoted_bytes(std::string_view bytes);  // the other way round
int64_t error_number(std::string_view name);       // 0: no such error

}  // namespace sctrace::device
