#include "rewriter/insn.h"

#include <cstring>

#include "rewriter/quick.h"

namespace sctrace::rewriter {

// What quick.h does not know is no instruction here. mov $imm32 to a register is what most stubs
// hold, and each stub is built anew at every start: 50 us of it.
std::optional<Insn> decode(std::span<const uint8_t> bytes, uint64_t address) {
  constexpr uint8_t mov_bytes = 5;
  if (bytes.size() >= mov_bytes && (bytes[0] & 0xf8) == 0xb8) return Insn{.length = mov_bytes};
  return quick_decode(bytes, address);
}

bool is_movable(std::span<const uint8_t> bytes) { return quick_is_movable(bytes).value_or(false); }

bool try_relocate(std::span<const uint8_t> bytes, uint64_t from_address, uint8_t* to,
                  uint64_t to_address) {
  const auto insn = decode(bytes, from_address);
  if (!insn || insn->length != bytes.size()) return false;
  for (size_t i = 0; i < bytes.size(); ++i) to[i] = bytes[i];
  if (!insn->rip_at) return true;
  int32_t distance;
  std::memcpy(&distance, bytes.data() + insn->rip_at, sizeof distance);
  const int64_t reach = distance + static_cast<int64_t>(from_address - to_address);
  distance = static_cast<int32_t>(reach);
  if (distance != reach) return false;
  std::memcpy(to + insn->rip_at, &distance, sizeof distance);
  return true;
}

bool is_padding(std::span<const uint8_t> bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const unsigned length = bytes[at] == 0xcc ? 1 : quick_fill(bytes.subspan(at)).value_or(0);
    if (!length) return false;
    at += length;
  }
  return true;
}

// By hand: it looks at every instruction of a function, and these few forms are plain enough.
TableStep table_step(std::span<const uint8_t> insn, uint64_t address) {
  using Kind = TableStep::Kind;
  const auto at = [&](size_t i) { return i < insn.size() ? insn[i] : uint8_t{0}; };
  size_t i = at(0) == 0x3e;  // notrack
  const uint8_t rex = (at(i) & 0xf0) == 0x40 ? at(i++) : uint8_t{0};
  const uint8_t opcode = at(i), modrm = at(i + 1), sib = at(i + 2);
  const auto reg = static_cast<uint8_t>((modrm >> 3 & 7) | (rex & 4) << 1);
  const auto rm = static_cast<uint8_t>((modrm & 7) | (rex & 1) << 3);
  if (opcode == 0xff && (modrm & 0xf8) == 0xe0) return {.kind = Kind::jump, .from = rm};
  if (!(rex & 8)) return {};
  if (opcode == 0x8d && (modrm & 0xc7) == 0x05 && insn.size() == i + 6) {
    int32_t distance;
    std::memcpy(&distance, insn.data() + i + 2, sizeof distance);
    return {.kind = Kind::base,
            .to = reg,
            .table = address + insn.size() + static_cast<uint64_t>(int64_t{distance})};
  }
  const auto base = static_cast<uint8_t>((sib & 7) | (rex & 1) << 3);
  const bool no_displacement = (modrm & 0xc7) == 0x04 || ((modrm & 0xc7) == 0x44 && at(i + 3) == 0);
  if (opcode == 0x63 && no_displacement && sib >> 6 == 2)
    return {.kind = Kind::load, .to = reg, .from = base};
  if (opcode == 0x01 && modrm >> 6 == 3) return {.kind = Kind::add, .to = rm, .from = reg};
  if (opcode == 0x03 && modrm >> 6 == 3) return {.kind = Kind::add, .to = reg, .from = rm};
  return {};
}

}  // namespace sctrace::rewriter
