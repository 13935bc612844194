// keyctl: lengths that stand in a struct, and answers that end where they say.
#include <algorithm>

#include "formats/read/spending.h"
#include "formats/read/structs.h"
#include "formats/text.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

namespace {

// No more than there was room for; what ends with a nul is a name.
void adapt_answer(const Scene& s, Event& e, bool is_name) {
  const uint64_t n = std::min(static_cast<uint64_t>(s.call.result), s.call.args[3]);
  Value& v = e.args[2] = text_at(s, s.call.args[2], n, true);
  if (is_name && v.kind == Kind::text && v.text.ends_with('\0')) {
    v.text.pop_back();
    --v.whole;
  }
}

// What an operation works on: as long as the struct in front of it says.
void adapt_operation(const Scene& s, Event& e, bool two) {
  uint32_t given[10] = {};  // the key, two lengths, what is in reserve
  if (!s.memory.whole(given, s.call.args[1], sizeof given, false)) return;
  for (size_t i = 3; i < (two ? 5 : 4); ++i) {
    e.args[i] = text_at(s, s.call.args[i], given[i - 2], false);
    e.args[i].address = s.call.args[i];
  }
}

// A byte of flags after the other, each of its own.
void adapt_capabilities(const Scene& s, Event& e) {
  static constexpr Set sets[] = {Set::key_capabilities, Set::more_key_capabilities};
  const uint64_t n = std::min(static_cast<uint64_t>(s.call.result), s.call.args[2]);
  const std::string bytes = s.memory.bytes(s.call.args[1], n, true);
  if (bytes.size() < n || !s.call.args[1]) return void(e.args[1] = value_address(s.call.args[1]));
  Value& list = e.args[1] = value_of(Kind::list);
  list.address = s.call.args[1];
  for (size_t i = 0; i < bytes.size() && try_spend_value(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    list.items.push_back(i < std::size(sets) ? words(sets[i], byte) : value_hex(byte));
  }
  list.whole = n;
  list.bounded = true;
}

void adapt_error(const Scene& s, Event& e) {
  e.args[3] = value_of(Kind::word);
  e.args[3].base = Value::Base::unsigned_decimal;
  e.args[3].number = static_cast<uint32_t>(s.call.args[3]);
  e.args[3].text = errno_name(static_cast<int64_t>(e.args[3].number));
}

}  // namespace

void adapt_key(const Scene& s, Event& e) {
  enum : uint32_t {
    describe = 6,
    read = 11,
    get_security = 17,
    reject = 19,
    compute = 23,
    encrypt = 25,
    decrypt = 26,
    sign = 27,
    verify = 28,
    capabilities = 31,
  };
  switch (static_cast<uint32_t>(s.call.args[0])) {
    case describe:
    case get_security:
      if (s.ok()) adapt_answer(s, e, true);
      return;
    case read:
    case compute:
      if (s.ok()) adapt_answer(s, e, false);
      return;
    case reject: return adapt_error(s, e);
    case encrypt:
    case decrypt:
    case sign: return adapt_operation(s, e, false);
    case verify: return adapt_operation(s, e, true);
    case capabilities:
      if (s.ok()) adapt_capabilities(s, e);
      return;
    default: return;
  }
}

// How a key is derived: the kernel looks at other information only where it has a length.
Value key_derivation(const Scene& s, const uint8_t* b) {
  const uint64_t other = peek<uint64_t>(b + 8);
  const uint32_t length = peek<uint32_t>(b + 16);
  Builder f;
  f.add("hashname", string_at(s, peek<uint64_t>(b), false))
      .add("otherinfo", length ? text_at(s, other, length, false) : value_address(other))
      .add("otherinfolen", value_unsigned(length));
  add_reserved(f, "__spare", b + 20, 8);
  return f.done();
}

}  // namespace sctrace::read
