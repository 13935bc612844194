#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "arch/set_names.h"
#include "arch/shape.h"
#include "formats/read/metadata_parse.h"

namespace sctrace::read {

using arch::Kind;
using arch::Layout;
using arch::Member;
using arch::Shape;

namespace {

// What our code was written for; numbers, not the table itself.
struct Known {
  uint32_t bytes = 0;
  uint64_t shape = 0;
};
constexpr auto known_layouts = [] {
  std::array<Known, arch::layout_count> all{};
  std::array<Shape, arch::layout_count> shapes{};
  for (size_t i = 0; i < all.size(); ++i) shapes[i].add(all[i].bytes = arch::layout_bytes[i]);
  for (const Member& m : arch::fold::members) shapes[static_cast<size_t>(m.of)].add(m);
  for (size_t i = 0; i < all.size(); ++i) all[i].shape = shapes[i].is();
  return all;
}();
constexpr auto known_calls = [] {
  std::array<uint64_t, arch::number_limit> all{};
  for (size_t nr = 0; nr < all.size(); ++nr) all[nr] = Shape().add(arch::table.rows[nr]).is();
  return all;
}();

class Check {
 public:
  Check(Table& table, const std::string& file)
      : t_(table), file_(file), deep_(t_.layouts.size()), moved_(t_.layouts.size()) {}

  void all() {
    for (arch::Row& row : t_.rows)
      for (uint8_t i = 0; row.whole && i < row.arity; ++i) resolve(row, row.args[i]);
    for (arch::Command& c : t_.commands)
      for (uint8_t i = 0; i < c.count; ++i) resolve(t_.rows[c.nr], c.args[i]);
    for (size_t i = 1; i < deep_.size(); ++i) depth(i, 0);
    for (size_t i = 1; i < deep_.size(); ++i)
      for (const Member& m : part(i)) member(m, i);
    part_from_ours();
    for (uint32_t nr = 0; nr < arch::number_limit; ++nr)
      t_.coded[nr] = t_.rows[nr].name && Shape().add(t_.rows[nr]).is() == known_calls[nr];
    std::stable_sort(t_.requests.begin(), t_.requests.end(),
                     [](const auto& a, const auto& b) { return a.number < b.number; });
    std::stable_sort(t_.ioctls.begin(), t_.ioctls.end(),
                     [](const auto& a, const auto& b) { return a.number < b.number; });
  }

 private:
  static constexpr int deepest = 16;

  [[noreturn]] void refuse(const char* name, const char* why) const {
    throw BadTrace(file_, static_cast<uint64_t>(name - t_.text.data()),
                   fmt::format("{}: {}", name, why));
  }

  Part<Member> part(size_t layout) const {
    return {t_.members.data() + t_.layouts[layout].first,
            t_.members.data() + t_.layouts[layout].end};
  }

  static uint8_t index_of(const arch::Row& row, const char* name) {
    for (uint8_t i = 0; i < row.arity; ++i)
      if (std::strcmp(row.args[i].name, name) == 0) return i;
    return 0xff;
  }

  // The names that an argument is measured and given by → their places.
  void resolve(const arch::Row& row, arch::Arg& a) const {
    using arch::Measure;
    const bool by_argument = a.measure == Measure::argument || a.measure == Measure::pointed ||
                             a.measure == Measure::bits || a.measure == Measure::pages;
    if (by_argument) {
      if (!a.measured_by) refuse(a.name, "measured by nobody");
      a.which = index_of(row, a.measured_by + (*a.measured_by == '*'));
    }
    if (a.given_name) a.given_by = index_of(row, a.given_name);
    if (a.which == 0xff || a.given_by == 0xff) refuse(a.name, "no such argument in its call");
    if (!a.element && a.kind >= Kind::path) a.element = 1;
  }

  // How deep structs lie in it, behind pointers too: none may hold itself.
  int depth(size_t layout, int above) {
    if (deep_[layout]) return deep_[layout];
    int below = 1;
    for (const Member& m : part(layout)) {
      if (above == deepest) refuse(m.name, "structs within structs without end");
      if (m.inner != Layout::none)
        below = std::max(below, 1 + depth(static_cast<size_t>(m.inner), above + 1));
      if (below > deepest) refuse(m.name, "structs within structs without end");
    }
    return deep_[layout] = below;
  }

  // Fields lie within their struct, what lies in a field is no longer than it.
  void member(const Member& m, size_t layout) const {
    const uint32_t size = t_.layout_bytes[layout];
    const uint32_t each = std::max<uint32_t>(m.count, 1) * m.bytes;
    const bool counted = m.length_bytes && m.length_bytes <= 8;
    if (counted && m.length_at + m.length_bytes > size) refuse(m.name, "its length is elsewhere");
    switch (m.role) {
      case Member::Role::tail: break;
      case Member::Role::pointed:
        if (m.offset + 8u > size) refuse(m.name, "not within its struct");
        break;
      case Member::Role::field:
      case Member::Role::vector:
        if (!m.bytes || m.offset + each > size) refuse(m.name, "not within its struct");
        if (m.inner != Layout::none && bytes(m.inner) > m.bytes)
          refuse(m.name, "holds more than it has room for");
        if (each < least(m.kind)) refuse(m.name, "too short for what it is");
    }
    if (m.role <= Member::Role::vector && m.inner != Layout::none && bytes(m.inner) <= 1 &&
        part(static_cast<size_t>(m.inner)).empty())
      refuse(m.name, "holds a struct whose size nobody knows");
  }

  uint32_t bytes(Layout layout) const { return t_.layout_bytes[static_cast<size_t>(layout)]; }

  static uint32_t least(Kind kind) {
    switch (kind) {
      case Kind::network_choice: return 2;
      case Kind::inet4: return 4;
      case Kind::inet6: return 16;
      case Kind::socket_identity: return 48;
      default: return 1;
    }
  }

  bool is_ours(size_t i) const {
    Shape shape;
    shape.add(t_.layout_bytes[i]);
    for (const Member& m : part(i)) {
      shape.add(m);
      if (moved_[static_cast<size_t>(m.inner)]) return false;
    }
    return shape.is() == known_layouts[i].shape;
  }

  // A struct that has the name of one of ours and is another one: read by its fields alone, under
  // a number that our code does not know.
  void part_from_ours() {
    for (bool again = true; again;) {
      again = false;
      for (size_t i = 1; i < arch::layout_count; ++i) {
        if (!t_.layout_bytes[i] || moved_[i] || is_ours(i)) continue;
        moved_[i] = static_cast<uint16_t>(t_.layouts.size());
        t_.layouts.push_back(t_.layouts[i]);
        t_.layout_bytes.push_back(t_.layout_bytes[i]);
        again = true;
      }
    }
    for (size_t i = 1; i < arch::layout_count; ++i) {
      if (!moved_[i]) continue;
      t_.layouts[i] = {};
      t_.layout_bytes[i] = 0;
    }
    for (Member& m : t_.members) move(m.of), move(m.inner);
    for (arch::Row& row : t_.rows)
      for (arch::Arg& a : row.args) move(a.layout);
    for (arch::Command& c : t_.commands)
      for (arch::Arg& a : c.args) move(a.layout);
    for (arch::Request& r : t_.requests) move(r.before), move(r.after);
  }

  void move(Layout& layout) const {
    const size_t i = static_cast<size_t>(layout);
    if (i < moved_.size() && moved_[i]) layout = static_cast<Layout>(moved_[i]);
  }

  Table& t_;
  const std::string& file_;
  std::vector<int> deep_;
  std::vector<uint16_t> moved_;
};

}  // namespace

void check_table(Table& table, const std::string& file) { Check(table, file).all(); }

void complete(Table& t, const std::shared_ptr<const Table>& base) {
  t.base = base;
  for (size_t i = 1; base && i < std::min<size_t>(arch::set_count, base->sets.size()); ++i) {
    const Table::Range from = base->sets[i];
    if (t.sets[i].end || !from.end) continue;
    const auto first = base->words.begin() + from.first, end = base->words.begin() + from.end;
    t.sets[i].first = static_cast<uint32_t>(t.words.size());
    t.words.insert(t.words.end(), first, end);
    t.sets[i].end = static_cast<uint32_t>(t.words.size());
  }
  t.layout_bytes[0] = 1;
  for (size_t i = 1; i < arch::layout_count; ++i) {
    if (t.layout_bytes[i]) continue;
    t.layout_bytes[i] = known_layouts[i].bytes;
    if (!base || i >= base->layouts.size()) continue;
    const Table::Range from = base->layouts[i];
    t.layouts[i].first = static_cast<uint32_t>(t.members.size());
    t.members.insert(t.members.end(), base->members.begin() + from.first,
                     base->members.begin() + from.end);
    t.layouts[i].end = static_cast<uint32_t>(t.members.size());
  }
}

}  // namespace sctrace::read
