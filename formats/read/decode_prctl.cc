#include <fmt/format.h>

#include "formats/read/decode.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

Value vector_length(uint64_t v, Set set) {
  if (!(v & ~0xffffull)) return value_hex(v);
  Value all = words(set, v & ~0xffffull, true);
  all.number = v;
  Value length = value_of(Kind::word);  // plain, and yet part of what is known
  length.text = v & 0xffff ? fmt::format("{:#x}", v & 0xffff) : "0";
  all.items.push_back(length);
  return all;
}

Value tagged_addresses(uint64_t v) {
  const uint64_t mode = v & 6, tags = v >> 3 & 0xffff, rest = v & ~0x7ffffull;
  const auto bare = [](std::string text) {
    Value w = value_of(Kind::word);
    w.text = std::move(text);
    return w;
  };
  Value all = value_of(Kind::words);
  all.base = Value::Base::hexadecimal;
  all.number = v;
  all.items.push_back(bare(v & 1 ? "PR_TAGGED_ADDR_ENABLE" : "!PR_TAGGED_ADDR_ENABLE"));
  all.items.push_back(bare(mode == 0   ? "PR_MTE_TCF_NONE"
                           : mode == 2 ? "PR_MTE_TCF_SYNC"
                           : mode == 4 ? "PR_MTE_TCF_ASYNC"
                                       : "PR_MTE_TCF_MASK"));
  if (tags) all.items.push_back(bare(fmt::format("{:#x}<<PR_MTE_TAG_SHIFT", tags)));
  if (rest) all.items.push_back(value_hex(rest));
  return all;
}

// PR_SET_SYSCALL_USER_DISPATCH: a range and where the selector lies, or what must be zero.
void adapt_dispatch(const Scene& s, Event& e) {
  if (s.call.args[1] == 1) {
    e.args[2] = value_hex(s.call.args[2]);
    e.args[3] = value_hex(s.call.args[3]);
  } else {
    for (size_t i = 2; i < 5; ++i) e.args[i] = value_hex(s.call.args[i]);
  }
}

void adapt_prctl(const Scene& s, Event& e) {
  const uint32_t option = static_cast<uint32_t>(s.call.args[0]);
  if (!s.command)
    for (size_t i = 1; i < 5; ++i) e.args[i] = value_hex(s.call.args[i]);
  if (option == 1 && s.call.args[1] > 0xffffffff) e.args[1] = value_unsigned(s.call.args[1]);
  if (option == 22 && s.call.args[1] == 1) e.args[2] = {};
  if (option == 22 && s.call.args[1] != 1 && s.call.args[1] != 2)
    for (size_t i = 2; i < 5; ++i) e.args[i] = value_hex(s.call.args[i]);
  if (option == 50 || option == 63)
    e.args[1] = vector_length(s.call.args[1], option == 50 ? Set::prctl_vl : Set::prctl_sme_vl);
  if (option == 55) e.args[1] = tagged_addresses(s.call.args[1]);
  if (option == 62) e.args[3].numbered = true;
  if (option == 62 && static_cast<uint32_t>(s.call.args[1]))
    e.args[4] = value_address(s.call.args[4]);  // only asked for by 0
  if (option == 0x59616d61 && static_cast<uint32_t>(s.call.args[1]) == ~0u) {
    e.args[1] = word(Set::prctl_ptracer, ~0ull);
    e.args[1].base = Value::Base::decimal;
    e.args[1].number = ~0ull;
  }
  constexpr size_t name_most = 15;
  if (option == 15) shorten(e.args[1], name_most);
  if (option == 16 && e.args[1].kind == Kind::list && e.args[1].items.size() == 1) {
    Value name = e.args[1].items[0];
    name.braced = false;
    e.args[1] = std::move(name);
  }
  // One action of these takes no second word.
  if ((option == 33 && s.call.args[1] == 0) || (option == 47 && s.call.args[1] == 4))
    e.args[2] = value_hex(s.call.args[2]);
  if (option == 59) adapt_dispatch(s, e);
  constexpr uint64_t vma_anonymous_name = 0;
  if (option == 0x53564d41 && s.call.args[1] != vma_anonymous_name)
    for (size_t i = 3; i < 5; ++i) e.args[i] = value_address(s.call.args[i]);
  // What no word stands for is a plain number, and what follows such a one is nobody's.
  const bool plain = option == 10 || option == 12 || option == 14 || option == 20;
  if (plain && e.args[1].text.empty() && e.args[1].kind == Kind::word)
    e.args[1] = value_unsigned(s.call.args[1]);
  const bool unknown = e.args[1].kind == Kind::word && e.args[1].text.empty();
  if ((option == 33 || option == 35 || option == 47) && unknown)
    for (size_t i = 2; i < 5; ++i) e.args[i] = value_hex(s.call.args[i]);
  if (option == 53 && unknown) e.args[2] = value_hex(s.call.args[2]);
  if (option == 43 || option == 44)
    for (size_t i = 1; i < 5; ++i) e.args[i] = value_hex(s.call.args[i]);
  if (option == 52)
    for (size_t i = 2; i < 5; ++i) e.args[i] = {};
}

}  // namespace sctrace::read
