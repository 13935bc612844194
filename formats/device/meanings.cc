#include "formats/device/meanings.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>

#include "arch/set_names.h"
#include "arch/vocabulary.h"
#include "formats/device/command.h"
#include "formats/read/table.h"
#include "formats/text.h"

namespace sctrace::device {

namespace {

using arch::Set;
using arch::fold::Role;

constexpr size_t most_meanings = 16;
constexpr uint32_t set_bytes = 128;

void add(Meanings& to, uint64_t n) {
  const bool known = std::find(to.numbers.begin(), to.numbers.end(), n) != to.numbers.end();
  if (!known && to.numbers.size() < most_meanings) to.numbers.push_back(n);
}

// Words that no set has.
bool odd_word(std::string_view text, uint64_t& value) {
  static constexpr struct {
    std::string_view text;
    uint64_t value;
  } odd[] = {{"NULL", 0},       {"SIG_DFL", 0},    {"SIG_IGN", 1},  {"AT_FDCWD", ~uint64_t{99}},
             {"S_ISUID", 2048}, {"S_ISGID", 1024}, {"S_ISVTX", 512}};
  for (const auto& one : odd)
    if (one.text == text) return value = one.value, true;
  return false;
}

int signal_in(std::string_view text) {
  for (uint64_t n = 1; n <= 64; ++n)
    if (signal_name(n) == text) return static_cast<int>(n);
  return 0;
}

bool word_in(Set set, std::string_view text, uint64_t& value) {
  for (const arch::fold::Word& word : read::words_of(set)) {
    if (word.role == Role::word && word.text && text == word.text) return value = word.value, true;
    if (word.role == Role::shifted && word.text) {  // 9<<WORD
      const size_t at = text.find("<<");
      int64_t n;
      if (at == text.npos || text.substr(at + 2) != word.text) continue;
      if (number_in(text.substr(0, at), n))
        return value = static_cast<uint64_t>(n) << word.shift, true;
    }
  }
  return false;
}

bool one_in(Set set, std::string_view text, uint64_t& value) {
  int64_t n;
  if (number_in(text, n)) return value = static_cast<uint64_t>(n), true;
  if (word_in(set, text, value) || odd_word(text, value)) return true;
  for (const arch::fold::Word& word : read::words_of(set))
    if (word.role == Role::part && word.set != set && word_in(word.set, text, value)) return true;
  const int signal = signal_in(text);
  return signal && (value = static_cast<uint64_t>(signal), true);
}

// All of A|B|0x10 in one set.
bool words_in(Set set, std::string_view text, uint64_t& value) {
  value = 0;
  for (;;) {
    const size_t bar = text.find('|');
    uint64_t one;
    if (!one_in(set, text.substr(0, bar), one)) return false;
    value |= one;
    if (bar == text.npos) return true;
    text.remove_prefix(bar + 1);
  }
}

bool product_in(std::string_view text, uint64_t& value) {  // 8*1024
  const size_t star = text.find('*');
  int64_t a, b;
  if (star == text.npos || !number_in(text.substr(0, star), a)) return false;
  return number_in(text.substr(star + 1), b) &&
         !__builtin_mul_overflow(static_cast<uint64_t>(a), static_cast<uint64_t>(b), &value);
}

// [INT TERM], ~[KILL], [3 4]: bits, of signals from 1, of all else from 0.
void add_set(std::string_view text, Meanings& to) {
  const bool negated = text.front() == '~';
  text = text.substr(1 + negated, text.size() - 2 - negated);
  std::string mask(set_bytes, negated ? '\xff' : '\0');
  int64_t alone;
  if (number_in(text, alone)) add(to, static_cast<uint64_t>(alone));  // or a list of one number
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (word.empty()) continue;
    int64_t n;
    if (!number_in(word, n)) n = signal_in("SIG" + std::string(word)) - 1;
    if (n < 0 || n >= int64_t{set_bytes} * 8) return;
    auto& byte = mask[static_cast<size_t>(n) / 8];
    byte = static_cast<char>(byte ^ 1 << n % 8);
  }
  to.bytes.push_back(mask);
}

// 02:42:ac:11:00:02
void add_hardware(std::string_view text, Meanings& to) {
  std::string bytes;
  for (; text.size() >= 2; text.remove_prefix(std::min<size_t>(3, text.size()))) {
    int64_t n;
    if (!number_in("0x" + std::string(text.substr(0, 2)), n)) return;
    bytes += static_cast<char>(n);
    if (text.size() > 2 && text[2] != ':') return;
  }
  if (bytes.size() >= 2 && text.empty()) to.bytes.push_back(bytes);
}

void add_text(std::string_view leaf, Meanings& to) {
  to.quoted = true;
  to.shortened = leaf.ends_with("...");
  const bool abstract = leaf.front() == '@';
  if (to.shortened || !unquoted(leaf.substr(abstract), to.text)) return to.numbers.clear();
  if (abstract) return to.bytes.push_back('\0' + to.text);
  char address[16];
  for (const auto& [family, bytes] : {std::pair{AF_INET, 4}, std::pair{AF_INET6, 16}})
    if (::inet_pton(family, to.text.c_str(), address) == 1)
      to.bytes.emplace_back(address, static_cast<size_t>(bytes));
  if (to.text.size() >= IFNAMSIZ || to.text.find('/') != to.text.npos) return;
  if (const unsigned index = ::if_nametoindex(to.text.c_str())) add(to, index);
}

}  // namespace

Meanings meanings_of(std::string_view leaf) {
  Meanings all;
  if (leaf.empty()) return all;
  if (leaf.front() == '"' || leaf.starts_with("@\"")) return add_text(leaf, all), all;
  if (leaf.front() == '[' || leaf.starts_with("~[")) return add_set(leaf, all), all;
  int64_t n;
  uint64_t value;
  if (number_in(leaf, n)) return add(all, static_cast<uint64_t>(n)), all.exact = true, all;
  if (product_in(leaf, value)) add(all, value);
  if (odd_word(leaf, value)) add(all, value);
  if (const int signal = signal_in(leaf)) add(all, static_cast<uint64_t>(signal));
  for (const read::Table::Name& request : read::table().ioctls)
    if (request.text && leaf == request.text) add(all, request.number);
  for (size_t set = 1; set < arch::set_count; ++set)
    if (words_in(static_cast<Set>(set), leaf, value)) add(all, value);
  if (leaf.find(':') != leaf.npos) add_hardware(leaf, all);
  return all;
}

}  // namespace sctrace::device
