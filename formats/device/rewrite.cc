#include "formats/device/rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "formats/device/meanings.h"
#include "formats/device/placed.h"
#include "formats/device/stop.h"
#include "formats/device/tokens.h"
#include "formats/read/decode.h"

namespace sctrace::device {

namespace {

using Tokens = std::vector<Token>;
using Shown = std::vector<Tokens>;
using Place = std::pair<size_t, size_t>;  // argument and token

constexpr int most_looks = 8000;        // at changed calls, for one line
constexpr size_t most_searched = 1024;  // bytes of one piece that are looked through
constexpr size_t struct_bytes = 256;    // of new memory whose length nobody knows

// Where a leaf's bytes lie.
struct Spot {
  size_t piece, begin, bytes;
};

class Rewriter {
 public:
  Rewriter(read::Call& call, uint64_t limit, const std::vector<std::string>& wishes)
      : call_(call), limit_(limit) {
    for (const std::string& wish : wishes) wished_.push_back(tokens_of(wish));
  }
  void keep(size_t argument) { kept_.insert(argument); }
  std::string run();

 private:
  bool try_fix(Place at);
  bool try_numbers(Place at, const Meanings& meant);
  bool try_register(Place at, int r, uint64_t n);
  bool try_growth(const read::Call& changed, Place at);
  bool try_bytes(Place at, const Meanings& meant);
  bool try_text(Place at, const std::string& text);
  bool try_pointer(Place at, const std::string& bytes, bool shape_alone);
  bool try_length(Place at);
  bool try_number_at(Place at, const Spot& spot, uint64_t n);
  bool try_exact(Place at, const std::vector<Spot>& spots, uint64_t n);
  bool accept(read::Call&& changed, Place at, size_t piece, bool shape_alone = false);
  bool own(read::Call& call, size_t piece);
  const std::vector<Spot>& spots(Place at);
  Shown look(const read::Call& call);
  bool is_right(const Shown& shown, Place at) const;
  std::set<Place> right(const Shown& shown) const;
  std::vector<Place> wrong(const Shown& shown) const;
  bool begins_at(const Shown& changed, Place at) const;
  bool differs_at(const Shown& changed, Place at) const;
  std::string refusal(Place at) const;

  read::Call& call_;
  const uint64_t limit_;
  Shown wished_, shown_;
  std::set<size_t> kept_;
  std::map<Place, std::vector<Spot>> spots_;  // of the call as it is
  std::map<Place, std::string> settled_;      // right, though shown by another word
  int looks_ = 0;
};

constexpr size_t no_piece = ~size_t{0};
constexpr std::string_view opening = "{[~@";

Shown Rewriter::look(const read::Call& call) {
  ++looks_;
  Shown all;
  for (const std::string& text : shown_arguments(call, limit_)) all.push_back(tokens_of(text));
  return all;
}

bool Rewriter::is_right(const Shown& shown, Place at) const {
  const auto [argument, n] = at;
  if (kept_.count(argument)) return true;
  if (argument >= shown.size() || n >= shown[argument].size()) return false;
  if (n >= wished_[argument].size()) return false;
  const Token &is = shown[argument][n], &wish = wished_[argument][n];
  if (is.leaf != wish.leaf) return false;
  if (is.leaf ? same_leaf(is.text, wish.text) : is.text == wish.text) return true;
  const auto found = settled_.find(at);
  return found != settled_.end() && is.leaf && found->second == is.text;
}

// All that is as wished, up to where the shapes differ.
std::set<Place> Rewriter::right(const Shown& shown) const {
  std::set<Place> all;
  for (size_t i = 0; i < std::min(shown.size(), wished_.size()); ++i)
    for (size_t n = 0; n < std::min(shown[i].size(), wished_[i].size()); ++n) {
      const bool leaves = shown[i][n].leaf && wished_[i][n].leaf;
      if (is_right(shown, {i, n}))
        all.insert({i, n});
      else if (!leaves)
        break;
    }
  return all;
}

std::vector<Place> Rewriter::wrong(const Shown& shown) const {
  std::vector<Place> all;
  for (size_t i = 0; i < wished_.size(); ++i) {
    if (kept_.count(i)) continue;
    if (i >= shown.size()) return all.push_back({i, 0}), all;
    for (size_t n = 0; n < std::max(shown[i].size(), wished_[i].size()); ++n) {
      if (is_right(shown, {i, n})) continue;
      all.push_back({i, n});
      const bool both = n < shown[i].size() && n < wished_[i].size();
      if (!both || !shown[i][n].leaf || !wished_[i][n].leaf) break;
    }
  }
  if (shown.size() > wished_.size()) all.push_back({wished_.size(), 0});
  return all;
}

// Does the change show first at this token, of those of its argument?
bool Rewriter::begins_at(const Shown& changed, Place at) const {
  const auto [argument, n] = at;
  if (argument >= changed.size() || argument >= shown_.size()) return false;
  const Tokens &before = shown_[argument], &after = changed[argument];
  for (size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
    const bool same = i < before.size() && i < after.size() && before[i].text == after[i].text;
    if (!same) return i == n;
  }
  return false;
}

// Does it show there, be it that something in front of it shows it too? A length does.
bool Rewriter::differs_at(const Shown& changed, Place at) const {
  const auto [argument, n] = at;
  if (argument >= changed.size() || argument >= shown_.size()) return false;
  const Tokens &before = shown_[argument], &after = changed[argument];
  for (size_t i = 0; i <= n; ++i) {
    if (i >= before.size() || i >= after.size() || before[i].leaf != after[i].leaf) return false;
    if (!before[i].leaf && before[i].text != after[i].text) return false;
  }
  return before[n].text != after[n].text;
}

// The bytes whose change begins at this token; if there are none, those that change it at all.
const std::vector<Spot>& Rewriter::spots(Place at) {
  if (const auto known = spots_.find(at); known != spots_.end()) return known->second;
  std::vector<Spot> all, others;
  const auto add = [](std::vector<Spot>& to, size_t k, size_t i) {
    if (!to.empty() && to.back().piece == k && to.back().begin + to.back().bytes == i)
      ++to.back().bytes;
    else
      to.push_back({k, i, 1});
  };
  for (size_t k = 0; k < call_.memory.size(); ++k) {
    if (call_.memory[k].out || call_.memory[k].bytes.size() > most_searched) continue;
    for (size_t i = 0; i < call_.memory[k].bytes.size() && looks_ < most_looks; ++i) {
      uint8_t& byte = call_.memory[k].bytes[i];
      byte ^= 0xff;
      const Shown changed = look(call_);
      byte ^= 0xff;
      if (begins_at(changed, at))
        add(all, k, i);
      else if (differs_at(changed, at))
        add(others, k, i);
    }
  }
  return spots_[at] = all.empty() ? others : all;
}

// The piece becomes one of ours, and all that points at it points there; so does not change what
// the program has.
bool Rewriter::own(read::Call& call, size_t k) {
  const uint64_t was = call.memory[k].address;
  if (is_placed(was)) return true;
  if (call.memory[k].cut || call.memory[k].fault) return false;  // we don't have all of it
  const std::string bytes(call.memory[k].bytes.begin(), call.memory[k].bytes.end());
  const uint64_t now = place(call, bytes);
  bool pointed = false;
  for (uint64_t& argument : call.args)
    if ((argument & 0xffff'ffff'ffff) == was) argument = now, pointed = true;
  for (size_t other = 0; other < call.memory.size(); ++other)
    for (size_t i = 0; other != k && i + 8 <= call.memory[other].bytes.size(); i += 8) {
      uint64_t cell;
      std::memcpy(&cell, call.memory[other].bytes.data() + i, sizeof cell);
      if (cell != was || call.memory[other].bytes.size() > most_searched) continue;
      std::memcpy(call.memory[other].bytes.data() + i, &now, sizeof now);
      if (!own(call, other)) return false;
      pointed = true;
    }
  std::swap(call.memory[k], call.memory.back());  // indices stay what they are
  call.memory.back() = {};
  call.memory.pop_back();
  return pointed;
}

// Nothing that was right may be wrong by it.
bool Rewriter::accept(read::Call&& changed, Place at, size_t piece, bool shape_alone) {
  const auto opens = [&](const Shown& shown) {
    return begins_at(shown, at) && at.second < shown[at.first].size() &&
           opening.find(shown[at.first][at.second].text.front()) != opening.npos;
  };
  const auto goes = [&](const Shown& shown) {
    const std::set<Place> before = right(shown_), after = right(shown);
    const bool here = shape_alone ? opens(shown) : is_right(shown, at);
    return here && std::includes(after.begin(), after.end(), before.begin(), before.end());
  };
  if (!goes(look(changed))) return false;
  if (piece != no_piece && !own(changed, piece)) return false;
  Shown shown = look(changed);
  if (!goes(shown)) return false;
  call_ = std::move(changed);
  shown_ = std::move(shown);
  spots_.clear();
  return true;
}

bool Rewriter::try_number_at(Place at, const Spot& spot, uint64_t n) {
  for (size_t width = 1; width <= 8; width *= 2)
    for (size_t i = 0; i + width <= spot.bytes; ++i)
      for (const bool swapped : {false, true}) {
        if (swapped && width == 1) continue;
        const uint64_t value = swapped ? __builtin_bswap64(n) >> (64 - 8 * width) : n;
        read::Call changed = call_;
        std::memcpy(changed.memory[spot.piece].bytes.data() + spot.begin + i, &value, width);
        if (accept(std::move(changed), at, spot.piece)) return true;
      }
  return false;
}

// A number where a word is shown: the place that shows it is all there is to go by.
bool Rewriter::try_exact(Place at, const std::vector<Spot>& spots, uint64_t n) {
  const auto settle = [&](read::Call&& changed, size_t piece) {
    const Shown shown = look(changed);
    const auto [i, token] = at;
    if (i >= shown.size() || token >= shown[i].size() || !shown[i][token].leaf) return false;
    settled_[at] = shown[i][token].text;
    if (accept(std::move(changed), at, piece)) return true;
    settled_.erase(at);
    return false;
  };
  for (int r = 0; r < 6; ++r) {
    read::Call probe = call_;
    probe.args[r] ^= 0x40;
    if (!begins_at(look(probe), at)) continue;
    read::Call changed = call_;
    changed.args[r] = n;
    if (settle(std::move(changed), no_piece)) return true;
  }
  for (const Spot& spot : spots) {
    if (spot.bytes != 1 && spot.bytes != 2 && spot.bytes != 4 && spot.bytes != 8) continue;
    read::Call changed = call_;
    std::memcpy(changed.memory[spot.piece].bytes.data() + spot.begin, &n, spot.bytes);
    if (settle(std::move(changed), spot.piece)) return true;
  }
  return false;
}

// There may have to be more of what a register points at: zeroes, at first.
bool Rewriter::try_growth(const read::Call& changed, Place at) {
  for (size_t k = 0; k < changed.memory.size(); ++k) {
    const read::Piece& piece = changed.memory[k];
    if (piece.out || piece.cut || piece.bytes.size() >= struct_bytes) continue;
    read::Call grown = changed;
    grown.memory[k].bytes.resize(struct_bytes);
    grown.memory[k].wanted = struct_bytes;
    if (accept(std::move(grown), at, k)) return true;
  }
  return false;
}

bool Rewriter::try_register(Place at, int r, uint64_t n) {
  read::Call changed = call_;
  changed.args[r] = n;
  if (accept(read::Call(changed), at, no_piece)) return true;
  return n <= struct_bytes && try_growth(changed, at);  // it may say how long something is
}

bool Rewriter::try_numbers(Place at, const Meanings& meant) {
  for (const uint64_t n : meant.numbers)
    for (int r = 0; r < 6; ++r)
      if (try_register(at, r, n)) return true;
  if (meant.numbers.empty()) return false;
  const std::vector<Spot> where = spots(at);  // a copy: what is accepted makes them invalid
  for (const Spot& spot : where)
    for (const uint64_t n : meant.numbers)
      if (try_number_at(at, spot, n)) return true;
  return meant.exact && try_exact(at, where, meant.numbers.front());
}

// As they lie in memory, from the first byte that shows.
bool Rewriter::try_bytes(Place at, const Meanings& meant) {
  std::vector<std::string> all = meant.bytes;
  if (meant.quoted) all.push_back(meant.text + '\0');
  if (all.empty()) return false;
  const std::vector<Spot> where = spots(at);
  for (const Spot& spot : where)
    for (const std::string& bytes : all) {
      read::Call changed = call_;
      std::vector<uint8_t>& to = changed.memory[spot.piece].bytes;
      const bool is_set = bytes.size() == 128 && !meant.quoted;
      const size_t n = is_set ? std::min(bytes.size(), to.size() - spot.begin) : bytes.size();
      if (n > to.size() - spot.begin) to.resize(spot.begin + n);
      std::memcpy(to.data() + spot.begin, bytes.data(), n);
      if (accept(std::move(changed), at, spot.piece)) return true;
    }
  return false;
}

// New memory, and a register or a cell of a struct that points at it.
bool Rewriter::try_pointer(Place at, const std::string& bytes, bool shape_alone) {
  for (int r = 0; r < 6; ++r) {
    read::Call changed = call_;
    changed.args[r] = place(changed, bytes);
    if (accept(std::move(changed), at, no_piece, shape_alone)) return true;
  }
  for (size_t k = 0; k < call_.memory.size(); ++k) {
    if (call_.memory[k].out || call_.memory[k].bytes.size() > most_searched) continue;
    for (size_t i = 0; i + 8 <= call_.memory[k].bytes.size(); i += 8) {
      read::Call changed = call_;
      const uint64_t address = place(changed, bytes);
      std::memcpy(changed.memory[k].bytes.data() + i, &address, sizeof address);
      if (looks_ < most_looks && accept(std::move(changed), at, k, shape_alone)) return true;
    }
  }
  return false;
}

bool Rewriter::try_text(Place at, const std::string& text) {
  return try_pointer(at, text + '\0', false);
}

// A list that a NULL ends: one more element of it, or one less.
bool Rewriter::try_length(Place at) {
  const auto [argument, n] = at;
  const Tokens& wish = wished_[argument];
  if (n >= wish.size()) return false;
  const bool more =
      (wish[n].text == "," || wish[n].text == "[") && n + 1 < wish.size() && wish[n + 1].leaf;
  if (!more && wish[n].text != "]" && wish[n].text != "[]") return false;
  const Meanings meant = more ? meanings_of(wish[n + 1].text) : Meanings();
  for (size_t k = 0; k < call_.memory.size(); ++k) {
    if (call_.memory[k].out || call_.memory[k].bytes.size() > most_searched) continue;
    for (size_t i = 0; i + 8 <= call_.memory[k].bytes.size(); i += 8) {
      read::Call changed = call_;
      uint64_t cell = 0;
      if (more) cell = place(changed, meant.text + '\0');
      std::vector<uint8_t>& to = changed.memory[k].bytes;
      if (more && i + 16 > to.size()) to.resize(i + 16);
      std::memcpy(to.data() + i, &cell, sizeof cell);
      if (looks_ < most_looks && accept(std::move(changed), at, k)) return true;
    }
  }
  return false;
}

bool Rewriter::try_fix(Place at) {
  const auto [argument, n] = at;
  if (argument >= wished_.size() || n >= wished_[argument].size()) return false;
  const Token& wish = wished_[argument][n];
  const bool stands = argument < shown_.size() && n < shown_[argument].size();
  const bool lists = stands && (shown_[argument][n].text == "[]" || wish.text == "[]") &&
                     wish.leaf != shown_[argument][n].leaf;
  if (lists || (!wish.leaf && stands && !shown_[argument][n].leaf)) return try_length(at);
  if (stands && shown_[argument][n].text == "..." && try_growth(call_, at)) return true;
  const Meanings meant = wish.leaf ? meanings_of(wish.text) : Meanings();
  if (meant.shortened) return false;
  const bool alone = wished_[argument].size() == 1;  // behind a register, not in a struct
  if (meant.quoted && alone && try_text(at, meant.text)) return true;
  if (try_numbers(at, meant) || try_bytes(at, meant)) return true;
  if (meant.quoted && !alone && try_text(at, meant.text)) return true;
  // A struct or a set where there is nothing yet: zeroes first.
  const bool opens = opening.find(wish.text.front()) != opening.npos;
  if (!opens || !stands || !shown_[argument][n].leaf) return false;
  return shown_[argument][n].text.front() != wish.text.front() &&
         try_pointer(at, std::string(struct_bytes, '\0'), true);
}

std::string Rewriter::refusal(Place at) const {
  const auto [argument, n] = at;
  if (argument >= wished_.size() || argument >= shown_.size())
    return fmt::format("it takes {} arguments", shown_.size());
  const std::string member = member_at(wished_[argument], n);
  const std::string where =
      fmt::format("argument {}{}: ", argument + 1, member.empty() ? "" : ", member " + member);
  if (n >= wished_[argument].size())
    return fmt::format("argument {}: more is shown there than was written", argument + 1);
  const Token& wish = wished_[argument][n];
  if (wish.leaf) {
    const Meanings meant = meanings_of(wish.text);
    if (meant.shortened)
      return where + "text that is shortened cannot be written; `limit` shows more of it";
    std::string unused;
    if (meant.quoted && meant.bytes.empty() && !unquoted(wish.text, unused))
      return where + "bytes that are not well quoted";
  }
  const bool stands = argument < shown_.size() && n < shown_[argument].size();
  return fmt::format("{}'{}' makes no sense here{}", where, wish.text,
                     stands ? ", where it would be " + shown_[argument][n].text : "");
}

std::string Rewriter::run() {
  shown_ = look(call_);
  while (looks_ < most_looks) {
    const std::vector<Place> left = wrong(shown_);
    if (left.empty()) return {};
    // What stands further on may decide how this one looks: a length, a family.
    if (std::none_of(left.begin(), left.end(), [&](Place at) { return try_fix(at); }))
      return refusal(left.front());
  }
  return "too much at once; write less of it, or use `set`";
}

int number_of(const std::string& name) {
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr)
    if (const char* known = read::lookup(nr).name; known && name == known)
      return static_cast<int>(nr);
  return -1;
}

}  // namespace

std::string rewrite(read::Call& call, uint64_t limit, const std::string& name,
                    const std::vector<std::string>& wishes) {
  const int number = number_of(name);
  if (number < 0) return "no word of the protocol and no system call";
  read::Call made = call;
  made.nr = static_cast<uint32_t>(number);
  Rewriter rewriter(made, limit, wishes);
  if (made.nr == call.nr) {
    const std::vector<std::string> before = shown_arguments(call, limit);
    for (size_t i = 0; i < std::min(before.size(), wishes.size()); ++i)
      if (before[i] == wishes[i]) rewriter.keep(i);
  }
  if (const std::string wrong = rewriter.run(); !wrong.empty()) return wrong;
  if (!fits(made))
    return fmt::format("more than {} bytes of new memory; `set` may write more",
                       wire::control_kept_most);
  drop_unused(made);
  call = std::move(made);
  return {};
}

}  // namespace sctrace::device
