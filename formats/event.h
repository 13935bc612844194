// Event: one system call as every format is given it. Values say what was passed, in the words of
// the table; how they look (punctuation, quotes, cutting) is the business of each format. Never
// bytes, never a pointer.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "formats/label.h"

namespace sctrace {

namespace read {
struct OpenFile;
}

struct Value {
  enum class Kind : uint8_t {
    absent,       // not passed
    number,       // `number` in `base`
    text,         // characters: `text` is what is known of them, `whole` how many there were
    word,         // one of a set: `number`, its word in `text` or, unknown, what stands for it in
                  // `unknown`
    words,        // or'ed: `number`; its parts in `items` (word or number); `unknown` as above
    address,      // somewhere that was not followed or could not be read; 0 is NULL
    descriptor,   // `number`; `text` is the file behind it, if known, `cut` if it was deleted;
                  // items: what else is known of it (device in its `note`), and a socket's name
    structure,    // `items`, each with its `name`
    list,         // `items`; `whole` of them, `rest` the address where reading failed
    members,      // a set of things: signals, descriptors, processors; `negated`: all but these
    macro,        // what C writes as text(items…); `bare` and not
                  // `numbered`: of the bytes in `unknown`
    change,       // items[0] before the call, items[1] after it
    wait_status,  // `number`, as wait() gives it
    either,   // items[0] or'ed with items[1]… as written in C, kept apart from `words`; `text` is
              // what is done to them all: "<<8"
    indexed,  // [items[0]]=items[1], an element of an array whose places have names
    shifted,  // items[0]<<number, or that | items[1], as written in C; `unknown`: a remark on it
  };
  enum class Base : uint8_t {
    decimal,
    unsigned_decimal,
    hexadecimal,
    octal,
    mode,
    padded
  };  // padded: all 64 bits in hex

  Kind kind = Kind::absent;
  Base base = Base::decimal;
  bool cut = false;      // text, structure: more was there than is known, how much is unknown
  bool path = false;     // text: a file name, never shortened for brevity
  bool detail = false;   // a field of the second rank: shown when asked for everything
  bool more = false;     // structure: holds more than its fields say
  bool negated = false;  // members: the others; word: by name, if not in the raw style; number,
                         // structure: noted, if not in that; text: cut already where it fills
                         // what may be shown
  bool bounded = false;  // list: may be shortened for brevity
  bool bare = false;    // word, words: by name in every style; text: in hex in every style; change:
                        // two values, not one that moved
  bool braced = false;  // number, word: alone behind a pointer
  bool numbered =
      false;  // word: its number matters as much as its name; structure: goes on in any case
  uint64_t number = 0;
  uint64_t whole = 0;
  uint64_t rest =
      0;  // list: where reading failed; text: its address, if not all of it could be read
  uint64_t address = 0;  // where in the app's memory it lies, for what is behind an argument
  Label name;            // of a field
  std::string text;
  Label unknown, note;  // note: a remark of the decoder on the value
  std::vector<Value> items;
};

// A caller of the call, innermost first.
struct Frame {
  uint64_t address = 0;  // where it goes on; of an inlined one, that of the code around it
  std::string object;    // path of the file that holds it; empty if unknown
  std::string symbol;    // empty if unknown
  uint64_t offset = 0;   // of the address in the symbol or, without one, in the object
  uint64_t in_file = 0;  // of the address in the object's file
  bool inlined = false;
};

// The callers, innermost first: shared by all events of one place, and never changed.
class Stack {
 public:
  enum class End : uint8_t { whole, cut, broken };  // cut: as deep as was asked for
  Stack() = default;
  explicit Stack(std::vector<Frame> frames, End how = End::whole, bool is_guess = false)
      : end_(how), guessed_(is_guess) {
    frames_ = std::make_shared<const std::vector<Frame>>(std::move(frames));
  }
  const std::vector<Frame>& frames() const { return frames_ ? *frames_ : none(); }
  bool empty() const { return frames().empty(); }
  size_t size() const { return frames().size(); }
  const Frame& operator[](size_t n) const { return frames()[n]; }
  auto begin() const { return frames().begin(); }
  auto end() const { return frames().end(); }
  auto rbegin() const { return frames().rbegin(); }
  auto rend() const { return frames().rend(); }
  End how_it_ends() const { return end_; }
  bool is_guessed() const { return guessed_; }  // by frame pointers: callers may be missing

 private:
  static const std::vector<Frame>& none() {
    static const std::vector<Frame> nothing;
    return nothing;
  }
  std::shared_ptr<const std::vector<Frame>> frames_;
  End end_ = End::whole;
  bool guessed_ = false;
};

struct Event {
  uint32_t pid = 0, tid = 0, nr = 0;
  uint64_t began = 0, finished = 0;  // ns, CLOCK_MONOTONIC
  std::string name;
  uint64_t raw[6] = {};  // the arguments as they were in the registers
  uint8_t argc = 0;      // how many of them are known
  uint64_t site = 0;     // address of the syscall instruction; 0: unknown
  bool trap = false;     // came in by SIGSYS, not by a stub
  Stack stack;           // empty where none was recorded
  std::vector<Value> args;
  size_t early = 0;                    // so many of args were known before the call was made
  bool ended = false, returns = true;  // returns: false for exit
  bool timed = true;                   // false: nobody saw how long it took
  int64_t result = 0;
  bool failed = false;  // result is a negative errno
  bool restarted = false;
  bool injected = false;           // answered by us or an engine, not by the kernel
  bool altered = false;            // an engine changed arguments, or what they point at
  bool delayed = false;            // and held it up
  std::vector<Event> made;         // what the kernel was given, where that is another call
  Value value;                     // the result, when it did not fail
  std::vector<Value> after;        // what else came back, each with its `name`
  std::vector<std::string> paths;  // files it touched, by name or by descriptor
  // What its first descriptor is, if that is a socket: valid while the event is told.
  std::shared_ptr<const read::OpenFile> socket;
  // The errno of the answer, 0 for none: also that of a call to be restarted, and of the few calls
  // that never fail and whose answer only looks so. What summary counts as an error.
  int64_t error() const { return ended && result < 0 && result >= -4095 ? -result : 0; }
};

// Makers.
inline Value value_number(int64_t n, Value::Base base = Value::Base::decimal) {
  Value v;
  v.kind = Value::Kind::number;
  v.base = base;
  v.number = static_cast<uint64_t>(n);
  return v;
}
inline Value value_unsigned(uint64_t n) {
  return value_number(static_cast<int64_t>(n), Value::Base::unsigned_decimal);
}
inline Value value_hex(uint64_t n) {
  return value_number(static_cast<int64_t>(n), Value::Base::hexadecimal);
}
inline Value value_address(uint64_t a) {
  Value v;
  v.kind = Value::Kind::address;
  v.number = a;
  return v;
}
inline Value value_text(std::string text) {
  Value v;
  v.kind = Value::Kind::text;
  v.whole = text.size();
  v.text = std::move(text);
  return v;
}
inline Value value_of(Value::Kind kind) {
  Value v;
  v.kind = kind;
  return v;
}
inline Value value_macro(std::string name, std::vector<Value> items) {
  Value v = value_of(Value::Kind::macro);
  v.text = std::move(name);
  v.items = std::move(items);
  return v;
}
inline Value of_bytes(Value macro, const void* at, size_t n) {
  macro.bare = true;
  macro.unknown = Label(std::string_view(static_cast<const char*>(at), n));
  return macro;
}
inline Value named(Label name, Value v) {
  v.name = std::move(name);
  return v;
}

}  // namespace sctrace
