// Plans as bytes, so that a later process need not plan the same text again: a key of the caller's
// (which file this was, exactly: preload/plan_cache.h), counts, one fixed row a site with the bytes
// that its plan was made for, a checksum. Pure, and trusts nothing: rows are
// taken only if all of them keep the planner's promises of where windows lie.
//
// What is not in the rows, the proof that no branch enters a window, is the key's to vouch for: it
// was made for the whole file. The rows' own bytes are compared with memory on top of that.
#pragma once
#include "rewriter/sites.h"

namespace sctrace::rewriter {

// A kept plan of one object. Lies in the bytes that it was opened on.
class KeptPlans {
 public:
  // Nothing, if the bytes are no plans for this key and for a text of this size.
  static std::optional<KeptPlans> open(std::span<const uint8_t> file, std::span<const uint8_t> key,
                                       const Bytes& text);

  // Visits what patching will write to: address and size, within the text.
  template <typename Visit>
  void each_write(const Bytes& text, Visit visit) const {
    for (size_t i = 0; i < count(); ++i) {
      const Row row = at(i);
      if (row.tactic == Tactic::trap) continue;
      const uint64_t site = text.address + row.site;
      visit(site + static_cast<uint64_t>(int64_t{row.window}), row.window_bytes);
      if (row.tactic == Tactic::pad) visit(site, syscall_bytes);
    }
  }

  // Whether every site and every window still holds its bytes.
  bool match(const Bytes& text) const;

  // The plans, kept in `memory`, as plan_object() gave them, but for `function` and `before`, which
  // nobody asks for once planning is done. Adds to the report what planning counted. Nothing when
  // memory is short.
  std::optional<std::span<Plan>> plans(const Bytes& text, Region& memory, Report& report) const;

 private:
  struct Row {
    uint32_t site;   // offset in the text
    int16_t window;  // from the site
    uint8_t window_bytes;
    Tactic tactic;
    Refusal refusal;
    uint8_t original[window_max];  // of the window
    uint8_t reserved[4];
  };
  static_assert(sizeof(Row) == 32);
  struct Head;

  explicit KeptPlans(std::span<const uint8_t> rows, Report counts) : rows_(rows), counts_(counts) {}
  size_t count() const { return rows_.size() / sizeof(Row); }
  Row at(size_t index) const;
  struct Piece {
    int64_t begin, end;
  };
  bool makes_sense(const Bytes& text) const;
  bool is_alone(size_t pad) const;
  static Piece piece_of(const Row& row);
  static bool is_honest(const Row& row, uint64_t text_bytes);

  std::span<const uint8_t> rows_;
  Report counts_;

  friend std::span<const uint8_t> keep_plans(std::span<const uint8_t>, const Bytes&,
                                             std::span<const Plan>, const Report&, Region&);
};

// The file for these plans, kept in `memory`; empty if there is no room, or if the plans are not
// all there is to know, or lie outside of the text. `counts`: of this object alone.
std::span<const uint8_t> keep_plans(std::span<const uint8_t> key, const Bytes& text,
                                    std::span<const Plan> plans, const Report& counts,
                                    Region& memory);

}  // namespace sctrace::rewriter
