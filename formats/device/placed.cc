#include "formats/device/placed.h"

#include <algorithm>
#include <cstring>

namespace sctrace::device {

namespace {

struct Layout {
  struct Part {
    const read::Piece* piece;
    uint32_t at;
  };
  std::vector<Part> parts;
  std::vector<uint16_t> pointers;
  uint32_t bytes = 0;
  bool fits = true;
};

uint32_t part_for(const read::Call& call, const read::Piece& piece, Layout& to);

// Cells of a piece that point at other pieces.
void follow(const read::Call& call, const read::Piece& piece, uint32_t at, Layout& to) {
  for (size_t i = 0; i + 8 <= piece.bytes.size() && to.fits; i += 8) {
    uint64_t cell;
    std::memcpy(&cell, piece.bytes.data() + i, sizeof cell);
    const read::Piece* target = is_placed(cell) ? placed_at(call, cell) : nullptr;
    if (!target) continue;
    part_for(call, *target, to);
    if (to.pointers.size() == wire::control_pointers) to.fits = false;
    to.pointers.push_back(static_cast<uint16_t>(at + i));
  }
}

uint32_t part_for(const read::Call& call, const read::Piece& piece, Layout& to) {
  for (const Layout::Part& part : to.parts)
    if (part.piece == &piece) return part.at;
  const uint32_t at = to.bytes;
  if (piece.bytes.size() > wire::control_kept_most - std::min(at, wire::control_kept_most))
    return to.fits = false, 0;
  to.parts.push_back({&piece, at});
  to.bytes = (at + static_cast<uint32_t>(piece.bytes.size()) + 15) & ~15u;
  follow(call, piece, at, to);
  return at;
}

Layout layout_of(const read::Call& call, uint32_t* arguments) {
  Layout to;
  for (int n = 0; n < 6; ++n) {
    const read::Piece* piece = is_placed(call.args[n]) ? placed_at(call, call.args[n]) : nullptr;
    arguments[n] = piece ? part_for(call, *piece, to) : wire::not_placed;
  }
  to.fits = to.fits && to.bytes <= wire::control_kept_most;
  return to;
}

}  // namespace

uint64_t place(read::Call& call, std::string_view bytes) {
  uint64_t address = placed_begin;
  for (const read::Piece& piece : call.memory)
    if (is_placed(piece.address)) address = std::max(address, piece.address + 0x10000);
  read::Piece& piece = call.memory.emplace_back();
  piece.address = address;
  piece.wanted = bytes.size();
  piece.bytes.assign(bytes.begin(), bytes.end());
  return address;
}

const read::Piece* placed_at(const read::Call& call, uint64_t address) {
  for (const read::Piece& piece : call.memory)
    if (piece.address == address) return &piece;
  return nullptr;
}

bool fits(const read::Call& call) {
  uint32_t arguments[6];
  return layout_of(call, arguments).fits;
}

void drop_unused(read::Call& call) {
  uint32_t arguments[6];
  const Layout used = layout_of(call, arguments);
  std::vector<read::Piece> kept;
  for (read::Piece& piece : call.memory) {
    const bool is_used =
        std::any_of(used.parts.begin(), used.parts.end(),
                    [&](const Layout::Part& part) { return part.piece == &piece; });
    if (is_used || !is_placed(piece.address)) kept.push_back(piece);
  }
  call.memory = std::move(kept);
}

bool try_put(const read::Call& call, wire::ControlSlot& to) {
  const Layout layout = layout_of(call, to.placed);
  if (!layout.fits) return false;
  for (const Layout::Part& part : layout.parts)
    std::memcpy(to.data + part.at, part.piece->bytes.data(), part.piece->bytes.size());
  for (size_t i = 0; i < layout.pointers.size(); ++i) {
    uint64_t cell;
    std::memcpy(&cell, to.data + layout.pointers[i], sizeof cell);
    const read::Piece* target = placed_at(call, cell);
    for (const Layout::Part& part : layout.parts)
      if (part.piece == target) cell = part.at;
    std::memcpy(to.data + layout.pointers[i], &cell, sizeof cell);
    to.pointers[i] = layout.pointers[i];
  }
  to.pointer_count = static_cast<uint32_t>(layout.pointers.size());
  to.kept = layout.bytes;
  return true;
}

}  // namespace sctrace::device
