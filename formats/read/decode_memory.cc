#include "formats/read/decode_memory.h"

#include <algorithm>
#include <cstring>

namespace sctrace::read {

namespace {

// Behind its last byte; what would lie beyond all memory ends there.
uint64_t end_of(const Piece& p) { return p.address + std::min(p.bytes.size(), ~p.address); }

// Of those that reach equally far, the one that was taken first.
bool is_further(const Piece* p, const Piece* than) {
  return !than || end_of(*p) > end_of(*than) || (end_of(*p) == end_of(*than) && p < than);
}

}  // namespace

std::vector<Memory::Reach> Memory::reaches(bool out) const {
  std::vector<Reach> all{{0, nullptr}};  // so there is always one, and they are made but once
  for (const Piece& p : call_.memory)
    if (p.out == out) all.push_back({p.address, &p});
  std::sort(all.begin(), all.end(), [](const Reach& a, const Reach& b) {
    return a.from != b.from ? a.from < b.from : a.piece < b.piece;
  });
  for (size_t i = 1; i < all.size(); ++i)
    if (!is_further(all[i].piece, all[i - 1].piece)) all[i].piece = all[i - 1].piece;
  return all;
}

const Piece* Memory::furthest_of_many(uint64_t at, bool out) const {
  std::vector<Reach>& all = out ? after_ : before_;
  if (all.empty()) all = reaches(out);
  const auto behind = std::upper_bound(all.begin(), all.end(), at,
                                       [](uint64_t a, const Reach& b) { return a < b.from; });
  const Piece* p = (behind - 1)->piece;
  return p && at - p->address < p->bytes.size() ? p : nullptr;
}

const Piece* Memory::furthest(uint64_t at, bool out) const {
  constexpr size_t few = 16;  // looked at in less time than it takes to sort them
  if (call_.memory.size() > few) return furthest_of_many(at, out);
  const Piece* best = nullptr;
  for (const Piece& p : call_.memory) {
    if (p.out != out || at < p.address || at - p.address >= p.bytes.size()) continue;
    if (is_further(&p, best)) best = &p;
  }
  return best;
}

const Piece* Memory::piece_at(uint64_t at, bool out) const {
  const Piece* best = furthest(at, out);
  return best || !out ? best : furthest(at, false);
}

uint64_t Memory::copy(void* to, uint64_t at, uint64_t n, bool out) const {
  uint64_t done = 0;
  while (done < n) {
    const Piece* p = piece_at(at + done, out);
    if (!p) break;
    const uint64_t skip = at + done - p->address,
                   take = std::min<uint64_t>(n - done, p->bytes.size() - skip);
    std::memcpy(static_cast<char*>(to) + done, p->bytes.data() + skip, take);
    done += take;
  }
  return done;
}

std::string Memory::bytes(uint64_t at, uint64_t n, bool out) const {
  std::string text;
  while (text.size() < n) {
    const Piece* p = piece_at(at + text.size(), out);
    if (!p) break;
    const uint64_t skip = at + text.size() - p->address,
                   take = std::min<uint64_t>(n - text.size(), p->bytes.size() - skip);
    text.append(reinterpret_cast<const char*>(p->bytes.data()) + skip, take);
  }
  return text;
}

std::string Memory::text(uint64_t at, uint64_t n, bool out, bool& ended) const {
  std::string text;
  ended = false;
  while (text.size() < n) {
    const Piece* p = piece_at(at + text.size(), out);
    if (!p) break;
    const uint64_t skip = at + text.size() - p->address,
                   take = std::min<uint64_t>(n - text.size(), p->bytes.size() - skip);
    const auto* from = reinterpret_cast<const char*>(p->bytes.data()) + skip;
    const void* nul = std::memchr(from, 0, take);
    ended = nul != nullptr;
    text.append(from, ended ? static_cast<size_t>(static_cast<const char*>(nul) - from) : take);
    if (ended) break;
  }
  return text;
}

bool Memory::shortened(uint64_t at, uint64_t, bool out) const {
  for (const Piece& p : call_.memory)
    if ((p.out == out || out) && !p.fault && (p.cut || p.redacted) && p.address <= at &&
        at - p.address <= p.wanted)
      return true;
  return false;
}

std::string string_of(const Call& call, int argument, bool out) {
  bool ended;
  return Memory(call).text(call.args[argument], 4096, out, ended);
}

}  // namespace sctrace::read
