// futex: which of its arguments mean something depends on the operation, and that of FUTEX_WAKE_OP
// is an instruction of its own.
#include "formats/read/decode.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

namespace {

enum Operation : uint32_t {
  wake_op = 5,
  lock_pi = 6,
  unlock_pi = 7,
  trylock_pi = 8,
  lock_pi2 = 13
};

Value shifted(Value by_name, uint64_t bits) {
  Value v = value_of(Kind::shifted);
  if (by_name.kind == Kind::word && by_name.text.empty()) v.unknown = std::move(by_name.unknown);
  by_name.unknown.clear();
  v.items.push_back(std::move(by_name));
  v.number = bits;
  return v;
}

// (operation<<28) | (its argument<<12) | (comparison<<24) | its argument, as FUTEX_OP() makes it.
Value instruction(uint32_t encoded) {
  constexpr uint32_t argument_is_shift = 8;
  Value v = value_of(Kind::either);
  v.number = encoded;
  if (encoded >> 28 & argument_is_shift) {
    Value flag = value_of(Kind::word);
    flag.base = Value::Base::hexadecimal;
    flag.number = argument_is_shift;
    flag.text = "FUTEX_OP_OPARG_SHIFT";
    v.items.push_back(shifted(flag, 28));
  }
  v.items.push_back(shifted(word(Set::futex_wake_operations, encoded >> 28 & 7), 28));
  v.items.push_back(shifted(value_hex(encoded >> 12 & 0xfff), 12));
  v.items.push_back(shifted(word(Set::futex_wake_comparisons, encoded >> 24 & 15), 24));
  v.items.push_back(value_hex(encoded & 0xfff));
  return v;
}

}  // namespace

void adapt_futex(const Scene& s, Event& e) {
  const uint32_t operation = static_cast<uint32_t>(s.call.args[1]) & 127;
  const bool without_value = operation == lock_pi || operation == lock_pi2 ||
                             operation == unlock_pi || operation == trylock_pi;
  if (without_value) e.args[2] = {};
  if (operation == wake_op) e.args[5] = instruction(static_cast<uint32_t>(s.call.args[5]));
  if (!s.command) e.args[5] = value_hex(static_cast<uint32_t>(s.call.args[5]));
}

}  // namespace sctrace::read
