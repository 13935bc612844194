// names.def as one array: every word of every set, and where each set begins. For the reader, and
// for the table at compile time; the guest carries none of it.
#pragma once
#include "arch/syscall.h"

namespace sctrace::arch {

namespace fold {
// Words of the sets, in one list; first[set] is where each begins.
enum class Role : uint8_t { set, word, part, shifted, octal, decimal, signal };
struct Word {
  Role role = Role::word;
  Set set = Set::none;  // set: which; part: of which set the masked bits are one
  uint8_t shift = 0;
  uint64_t value = 0;          // word: its value; else the mask
  const char* text = nullptr;  // word: its text; set: what stands for the unknown
};
inline constexpr Word vocabulary[] = {
    {Role::set, Set::none, 0, 0, ""},
#define SET(name, unknown) {Role::set, Set::name, 0, 0, unknown},
#define WORD(value, text) {Role::word, Set::none, 0, value, #text},
#define PART(mask, name) {Role::part, Set::name, 0, mask, nullptr},
#define SHIFTED(mask, shift, text) {Role::shifted, Set::none, shift, mask, #text},
#define OCTAL(mask) {Role::octal, Set::none, 0, mask, nullptr},
#define DECIMAL(mask) {Role::decimal, Set::none, 0, mask, nullptr},
#define SIGNAL(mask) {Role::signal, Set::none, 0, mask, nullptr},
#define END_SET
#include "arch/names.def"
#undef SET
#undef WORD
#undef PART
#undef SHIFTED
#undef OCTAL
#undef DECIMAL
#undef SIGNAL
#undef END_SET
};
inline constexpr size_t word_count = sizeof vocabulary / sizeof *vocabulary;
struct Starts {
  uint16_t at[1024] = {};
};
constexpr Starts starts() {
  Starts s;
  for (size_t i = 0; i < word_count; ++i)
    if (vocabulary[i].role == Role::set)
      s.at[static_cast<size_t>(vocabulary[i].set)] = static_cast<uint16_t>(i);
  return s;
}
inline constexpr Starts first = starts();
}  // namespace fold

}  // namespace sctrace::arch
