#include "rewriter/cache.h"

namespace sctrace::rewriter {

// In front of the key: what it takes to find the rest. All sizes are checked before use.
struct KeptPlans::Head {
  char magic[8];
  uint32_t key_bytes, rows;
  uint32_t candidates, not_on_boundary, decoded, reserved;
};

namespace {

constexpr char magic[8] = {'s', 'c', 't', 'p', 'l', 'a', 'n', '1'};
constexpr uint32_t rows_most = 1 << 16;  // as many as there are stubs, and more than fit memory

// Every step can be undone, so one changed word is always seen; more of them but for chance. No
// secret: who may write the file is the caller's to check.
uint64_t checksum(std::span<const uint8_t> bytes) {
  uint64_t sum = bytes.size();
  for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    sum = (sum ^ word) * 0x9e3779b97f4a7c15;
    sum ^= sum >> 29;
  }
  return sum;
}

size_t word_up(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

template <typename T>
T read(std::span<const uint8_t> bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool is_same(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return a.size() == b.size() && rewriter::is_same(a.data(), b.data(), a.size());
}

}  // namespace

KeptPlans::Row KeptPlans::at(size_t index) const { return read<Row>(rows_, index * sizeof(Row)); }

// The site, and its window where that touches it.
KeptPlans::Piece KeptPlans::piece_of(const Row& row) {
  const int64_t site = row.site, begin = site + row.window, end = begin + row.window_bytes;
  if (row.tactic == Tactic::trap || row.tactic == Tactic::pad) return {site, site + 2};
  return {begin, end > site + 2 ? end : site + 2};
}

// Does it keep what plan.cc promises of each tactic's window? That it holds whole instructions,
// stub.cc finds out.
bool KeptPlans::is_honest(const Row& row, uint64_t text_bytes) {
  if (uint64_t{row.site} + syscall_bytes > text_bytes) return false;
  if (static_cast<unsigned>(row.tactic) >= tactic_count) return false;
  if (static_cast<unsigned>(row.refusal) >= refusal_count) return false;
  if (row.tactic == Tactic::trap) return row.refusal != Refusal::none && !row.window_bytes;
  if (row.refusal != Refusal::none) return false;
  if (row.window_bytes < jump_bytes || row.window_bytes > window_max) return false;
  const int64_t begin = int64_t{row.site} + row.window, behind = row.window + row.window_bytes;
  if (begin < 0 || static_cast<uint64_t>(begin) + row.window_bytes > text_bytes) return false;
  switch (row.tactic) {
    case Tactic::mov:
      return row.window == -int{jump_bytes} && row.window_bytes == jump_bytes &&
             row.original[0] == 0xb8;
    case Tactic::pad:
      return row.window_bytes == jump_bytes && row.window >= -126 && row.window <= 129 &&
             (behind <= 0 || row.window >= int{syscall_bytes});
    case Tactic::before: return behind == 0;
    case Tactic::after: return row.window <= 0 && behind >= int{syscall_bytes};
    default: return false;
  }
}

// Sites ascend and no window covers another's, or another site. All but those in padding are one
// piece with their sites, so it takes a look at the last one; a window in padding is compared with
// all near it.
bool KeptPlans::makes_sense(const Bytes& text) const {
  int64_t last = 0;
  for (size_t i = 0; i < count(); ++i) {
    const Row row = at(i);
    if (!is_honest(row, text.bytes.size())) return false;
    const auto piece = piece_of(row);
    if (piece.begin < last) return false;
    last = piece.end;
    if (row.tactic == Tactic::pad && !is_alone(i)) return false;
  }
  return true;
}

bool KeptPlans::is_alone(size_t pad) const {
  constexpr int64_t far = 2 * (129 + int64_t{window_max});
  const Row row = at(pad);
  const int64_t begin = int64_t{row.site} + row.window, end = begin + row.window_bytes;
  const auto hits = [&](size_t other) {
    const Row that = at(other);
    const int64_t low = int64_t{that.site} + that.window;
    const auto piece = piece_of(that);
    return (begin < piece.end && piece.begin < end) ||
           (other != pad && begin < low + that.window_bytes && low < end);
  };
  for (size_t i = pad + 1; i-- && int64_t{at(i).site} + far > row.site;)
    if (hits(i)) return false;
  for (size_t i = pad + 1; i < count() && int64_t{at(i).site} < row.site + far; ++i)
    if (hits(i)) return false;
  return true;
}

std::optional<KeptPlans> KeptPlans::open(std::span<const uint8_t> file,
                                         std::span<const uint8_t> key, const Bytes& text) {
  if (file.size() < sizeof(Head) + sizeof(uint64_t)) return std::nullopt;
  const auto head = read<Head>(file, 0);
  if (!is_same({reinterpret_cast<const uint8_t*>(head.magic), sizeof magic},
               {reinterpret_cast<const uint8_t*>(magic), sizeof magic}))
    return std::nullopt;
  if (head.key_bytes != key.size() || head.rows > rows_most) return std::nullopt;
  const size_t rows_at = sizeof(Head) + word_up(key.size());
  const size_t end = rows_at + size_t{head.rows} * sizeof(Row);
  if (file.size() != end + sizeof(uint64_t)) return std::nullopt;
  if (read<uint64_t>(file, end) != checksum(file.first(end))) return std::nullopt;
  if (!is_same(file.subspan(sizeof(Head), key.size()), key)) return std::nullopt;
  Report counts;
  counts.candidates = head.candidates;
  counts.not_on_boundary = head.not_on_boundary;
  counts.decoded = head.decoded;
  const KeptPlans kept(file.subspan(rows_at, end - rows_at), counts);
  if (uint64_t{head.candidates} != uint64_t{head.not_on_boundary} + head.rows) return std::nullopt;
  return kept.makes_sense(text) ? std::optional(kept) : std::nullopt;
}

bool KeptPlans::match(const Bytes& text) const {
  for (size_t i = 0; i < count(); ++i) {
    const Row row = at(i);
    const uint8_t* site = text.bytes.data() + row.site;
    if (site[0] != 0x0f || site[1] != 0x05) return false;
    if (!is_same(site + row.window, row.original, row.window_bytes)) return false;
  }
  return true;
}

std::optional<std::span<Plan>> KeptPlans::plans(const Bytes& text, Region& memory,
                                                Report& report) const {
  const std::span<Plan> room = memory.rest<Plan>();
  if (room.size() < count()) return std::nullopt;
  for (size_t i = 0; i < count(); ++i) {
    const Row row = at(i);
    Plan& plan = room[i] = {};
    plan.site = {text.address + row.site, row.tactic, row.refusal};
    if (row.tactic == Tactic::trap) continue;
    plan.window = plan.site.address + static_cast<uint64_t>(int64_t{row.window});
    plan.window_bytes = row.window_bytes;
  }
  memory.keep<Plan>(count());
  report.candidates += counts_.candidates;
  report.not_on_boundary += counts_.not_on_boundary;
  report.decoded += counts_.decoded;
  return room.first(count());
}

std::span<const uint8_t> keep_plans(std::span<const uint8_t> key, const Bytes& text,
                                    std::span<const Plan> plans, const Report& counts,
                                    Region& memory) {
  using Row = KeptPlans::Row;
  using Head = KeptPlans::Head;
  const size_t rows_at = sizeof(Head) + word_up(key.size());
  const size_t end = rows_at + plans.size() * sizeof(Row);
  const auto room = memory.rest<uint64_t>();
  if (counts.forgotten || plans.size() > rows_most) return {};
  if (room.size() * 8 < end + sizeof(uint64_t)) return {};
  auto* const bytes = reinterpret_cast<uint8_t*>(room.data());
  std::memset(bytes, 0, rows_at);
  Head head{};
  std::memcpy(head.magic, magic, sizeof magic);
  head.key_bytes = static_cast<uint32_t>(key.size());
  head.rows = static_cast<uint32_t>(plans.size());
  head.candidates = counts.candidates;
  head.not_on_boundary = counts.not_on_boundary;
  head.decoded = counts.decoded;
  std::memcpy(bytes, &head, sizeof head);
  std::memcpy(bytes + sizeof head, key.data(), key.size());
  for (size_t i = 0; i < plans.size(); ++i) {
    const Plan& plan = plans[i];
    Row row{};
    row.site = static_cast<uint32_t>(plan.site.address - text.address);
    row.tactic = plan.site.tactic;
    row.refusal = plan.site.refusal;
    if (row.tactic != Tactic::trap) {
      row.window = static_cast<int16_t>(static_cast<int64_t>(plan.window - plan.site.address));
      row.window_bytes = plan.window_bytes;
      const auto window = text.part(plan.window, plan.window_bytes);
      if (window.empty() || window.size() > sizeof row.original) return {};
      std::memcpy(row.original, window.data(), window.size());
    }
    std::memcpy(bytes + rows_at + i * sizeof row, &row, sizeof row);
  }
  const uint64_t sum = checksum({bytes, end});
  std::memcpy(bytes + end, &sum, sizeof sum);
  memory.keep<uint64_t>((end + sizeof sum) / 8);
  return {bytes, end + sizeof sum};
}

}  // namespace sctrace::rewriter
