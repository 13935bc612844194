// Classic BPF programs (seccomp, SO_ATTACH_FILTER), step by step.
#include <fmt/format.h>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

namespace {

Value part(Set set, uint32_t value) {
  Value v = word(set, value);
  return v;
}

// The code: its class, and what the class splits the other bits into.
Value code(uint16_t value) {
  Value v = value_of(Kind::either);
  const uint32_t kind = value & 7u;
  v.items.push_back(part(Set::bpf_class, kind));
  switch (kind) {
    case 0:
    case 1:
      v.items.push_back(part(Set::bpf_size, value & 0x18u));
      v.items.push_back(part(Set::bpf_mode, value & 0xe0u));
      break;
    case 2:
    case 3:
      if (value & ~7u)
        v.items.push_back(part(Set::bpf_k, value & ~7u)), v.items.back().unknown = "BPF_???",
                                                          v.items.back().text.clear();
      break;
    case 4:
      v.items.push_back(part(Set::bpf_source, value & 8u));
      v.items.push_back(part(Set::bpf_operation, value & 0xf0u));
      break;
    case 5:
      v.items.push_back(part(Set::bpf_source, value & 8u));
      v.items.push_back(part(Set::bpf_jump, value & 0xf0u));
      break;
    case 6:
      v.items.push_back(part(Set::bpf_rval, value & 0x18u));
      if (value & 0xe0u)
        v.items.push_back(part(Set::none, value & 0xe0u)), v.items.back().unknown = "BPF_???";
      break;
    default: v.items.push_back(part(Set::bpf_miscop, value & 0xf8u)); break;
  }
  if (value >> 8)
    v.items.push_back(part(Set::none, value & 0xff00u)), v.items.back().unknown = "BPF_???";
  return v;
}

Value operand(uint16_t code, uint32_t k, bool seccomp) {
  if (seccomp && (code & 7) == 6 && !(code & 0x18)) {
    Value v = value_of(Kind::either);
    const uint32_t action = k & 0xffff0000u;
    v.items.push_back(word(Set::seccomp_actions, action));
    if (v.items[0].text.empty()) return v.items[0].number = k, v.items[0];
    if (k & 0xffff) v.items.push_back(value_hex(k & 0xffff));
    return v.items.size() == 1 ? v.items[0] : v;
  }
  if (!seccomp && (code & 7) <= 1 && (code & 0xe0) == 0x20) {
    for (uint32_t base : {0xfffff000u, 0xfff00000u, 0xffe00000u}) {
      if (k < base) continue;
      Value sum = value_of(Kind::change);
      sum.negated = true;  // a sum, not a change
      Value offset = word(Set::skf_offsets, k - base);
      if (base != 0xfffff000u || offset.text.empty())
        offset = value_unsigned(k - base);
      else
        offset.base = Value::Base::unsigned_decimal;
      sum.items = {word(Set::skf_bases, base), offset};
      return sum;
    }
  }
  return value_hex(k);
}

}  // namespace

Value filter_step(const uint8_t* b, bool seccomp) {
  const uint16_t value = peek<uint16_t>(b);
  const uint32_t k = peek<uint32_t>(b + 4);
  std::vector<Value> items = {code(value), operand(value, k, seccomp)};
  if (!b[2] && !b[3]) return value_macro("BPF_STMT", items);
  items.push_back(value_hex(b[2]));
  items.push_back(value_hex(b[3]));
  return value_macro("BPF_JUMP", items);
}

}  // namespace sctrace::read
