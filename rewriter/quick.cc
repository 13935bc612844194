#include "rewriter/quick.h"

#include <cstring>

#include "rewriter/opcode.h"
#include "rewriter/opcodes.h"

namespace sctrace::rewriter {
namespace {

// Bytes of modrm, sib and displacement.
unsigned memory_bytes(std::span<const uint8_t> at) {
  const unsigned mod = at[0] >> 6, base = at[0] & 7;
  if (mod == 3) return 1;
  if (base != 4) return mod == 1 ? 2 : mod == 2 || base == 5 ? 5 : 1;
  if (at.size() < 2) return longest_insn;
  return mod == 1 ? 3 : mod == 2 || (at[1] & 7) == 5 ? 6 : 2;
}

// What may be locked: a read and write of memory.
bool is_lockable(const Opcode& o, uint8_t modrm) {
  const unsigned r = modrm >> 3 & 7;
  if (modrm >> 6 == 3 || o.repeat || o.map) return false;
  if (o.escape)
    return o.byte == 0xab || o.byte == 0xb0 || o.byte == 0xb1 || o.byte == 0xb3 || o.byte == 0xbb ||
           o.byte == 0xc0 || o.byte == 0xc1 || (o.byte == 0xba && r > 4);
  if (o.byte < 0x38) return (o.byte & 7) < 2;
  switch (o.byte) {
    case 0x80:
    case 0x81:
    case 0x83: return r != 7;
    case 0x86:
    case 0x87: return true;
    case 0xf6:
    case 0xf7: return r == 2 || r == 3;
    case 0xfe:
    case 0xff: return r < 2;
    default: return false;
  }
}

// A prefix chooses another instruction, or a shorter operand: only where that changes nothing for
// us.
bool is_plain(const Opcode& o) {
  if (o.escape || o.vector) return true;  // has a table for each
  if (o.repeat) {
    const bool string =
        o.byte >= 0xa4 && o.byte <= 0xaf && o.form == Form::none;  // a8, a9 are tests
    return string || (o.byte == 0x90 && o.repeat == 0xf3) || (o.byte == 0xc3 && !o.operand16);
  }
  if (!o.operand16) return true;
  if (o.form == Form::near8 || o.form == Form::near32)
    return o.wide;  // as in the call of __tls_get_addr
  return o.byte != 0xc2 && o.byte != 0xc3 && o.byte != 0xc9;
}

// Of 0f 71, 72, 73: which a number names depends on the width of what is shifted.
bool is_vector_shift(const Opcode& o, unsigned r) {
  if (r == 3 || r == 7) return o.byte == 0x73 && o.operand16;
  return r == 2 || r == 6 || (r == 4 && o.byte != 0x73);
}

bool is_float(uint8_t byte, uint8_t modrm) {
  const unsigned r = modrm >> 3 & 7;
  if (modrm >> 6 == 3) switch (byte) {
      case 0xd8:
      case 0xdc: return true;
      case 0xd9:
        return modrm < 0xd1 || modrm == 0xe0 || modrm == 0xe1 || modrm == 0xe4 || modrm == 0xe5 ||
               (modrm >= 0xe8 && modrm != 0xef);
      case 0xda: return modrm < 0xe0 || modrm == 0xe9;
      case 0xdb:
        return modrm < 0xe0 || modrm == 0xe2 || modrm == 0xe3 || (modrm >= 0xe8 && modrm < 0xf8);
      case 0xdd: return modrm < 0xf0;
      case 0xde: return modrm < 0xd0 || modrm == 0xd9 || modrm >= 0xe0;
      default: return modrm == 0xe0 || (modrm >= 0xe8 && modrm < 0xf8);
    }
  switch (byte) {
    case 0xd9: return r != 1;
    case 0xdb: return r != 4 && r != 6;
    case 0xdd: return r != 5;
    default: return true;
  }
}

bool is_named(const Opcode& o, uint8_t modrm) {
  const unsigned r = modrm >> 3 & 7, mod = modrm >> 6;
  switch (o.form) {
    case Form::memory: return mod != 3;
    case Form::reg:
    case Form::reg8: return mod == 3;
    case Form::shift:
    case Form::shift8: return r != 6;
    case Form::test8:
    case Form::test32: return r != 1;
    case Form::mov8:
    case Form::mov32:
    case Form::pop: return r == 0;
    case Form::inc: return r <= 1;
    case Form::group5: return r != 3 && r != 5 && r != 7;
    case Form::bits: return r >= 4;
    case Form::vector: return mod == 3 && is_vector_shift(o, r);
    case Form::fence: return mod != 3 ? r < 4 : r >= 5 && (modrm & 7) == 0;
    case Form::compare: return mod != 3 && r == 1;
    case Form::number: return is_float(o.byte, modrm);
    case Form::endbr: return modrm == 0xfa || modrm == 0xfb || (mod == 3 && r == 1);
    case Form::shadow: return mod == 3 ? modrm == 0xea : r == 5;
    case Form::bases: return mod == 3 && (r < 4 || r == 5);
    case Form::timer: return modrm == 0xd0 || modrm == 0xf9;
    default: return true;
  }
}

unsigned immediate_bytes(const Opcode& o, unsigned r) {
  const unsigned word = o.operand16 && !o.wide ? 2 : 4;
  switch (o.form) {
    case Form::imm8:
    case Form::rm8:
    case Form::reg8:
    case Form::shift8:
    case Form::mov8:
    case Form::near8:
    case Form::vector:
    case Form::bits: return 1;
    case Form::imm16: return 2;
    case Form::begin:
    case Form::near32: return 4;
    case Form::imm32:
    case Form::rm32:
    case Form::mov32: return word;
    case Form::imm64: return o.wide ? 8 : word;
    case Form::test8: return r == 0;
    case Form::test32: return r == 0 ? word : 0;
    default: return 0;
  }
}

bool has_modrm(Form form) {
  switch (form) {
    case Form::none:
    case Form::imm8:
    case Form::imm16:
    case Form::imm32:
    case Form::imm64:
    case Form::near8:
    case Form::near32:
    case Form::syscall: return false;
    default: return true;
  }
}

Flow flow_of(const Opcode& o, uint8_t modrm) {
  if (o.map || o.vector) return Flow::next;
  if (o.escape)
    return o.form == Form::near32 ? Flow::branch : o.byte == 0x0b ? Flow::stop : Flow::next;
  switch (o.byte) {
    case 0xc2:
    case 0xc3:
    case 0xcc:
    case 0xf4: return Flow::stop;
    case 0xe8: return Flow::call;
    case 0xe9:
    case 0xeb: return Flow::jump;
    case 0xff:
      if ((modrm >> 3 & 7) == 2) return Flow::call;
      if ((modrm >> 3 & 7) == 4) return (modrm & 0xc7) == 5 ? Flow::stop : Flow::indirect;
      return Flow::next;
    default: return o.form == Form::near8 || o.form == Form::begin ? Flow::branch : Flow::next;
  }
}

struct Quick {
  Opcode opcode;
  uint8_t modrm = 0;
  unsigned immediate = 0;  // where it is
  Insn insn;
};

bool try_quick(std::span<const uint8_t> bytes, Quick& quick) {
  Opcode& opcode = quick.opcode;
  unsigned at = read_opcode(bytes, opcode);
  if (!at || opcode.form == Form::ask || !is_plain(opcode)) return false;
  if (opcode.form == Form::mov32 && at < bytes.size() && bytes[at] == 0xf8 && !opcode.operand16)
    opcode.form = Form::begin;
  uint8_t rip_at = 0;
  if (has_modrm(opcode.form)) {
    if (at >= bytes.size()) return false;
    quick.modrm = bytes[at];
    if (!is_named(opcode, quick.modrm)) return false;
    if ((quick.modrm & 0xc7) == 0x05) rip_at = static_cast<uint8_t>(at + 1);
    at += memory_bytes(bytes.subspan(at));
  }
  if (opcode.lock && !(has_modrm(opcode.form) && is_lockable(opcode, quick.modrm))) return false;
  quick.immediate = at;
  at += immediate_bytes(opcode, quick.modrm >> 3 & 7);
  if (at > bytes.size() || at > longest_insn) return false;
  quick.insn = {.length = static_cast<uint8_t>(at),
                .flow = flow_of(opcode, quick.modrm),
                .is_syscall = opcode.form == Form::syscall,
                .rip_at = rip_at};
  return true;
}

// Does nothing but what its operands say, wherever it stands: of no category that insn.cc rules
// out.
bool is_ordinary(const Opcode& o) {
  if (o.lock || o.map || o.vector) return false;
  if (o.repeat)
    return o.escape ? o.byte >= 0x10 && o.byte < 0x80 && o.form == Form::rm
                    : o.byte >= 0xa4 && o.byte < 0xb0;
  if (!o.escape)
    return o.byte < 0xc8 ? o.byte < 0x9b || o.byte > 0x9d : o.form == Form::shift || o.byte >= 0xf6;
  return o.byte == 0x1f || (o.byte & 0xf0) == 0x40 || (o.byte & 0xf0) == 0x90 ||
         (o.byte > 0xa2 && o.byte != 0xa8 && o.byte != 0xa9 && o.byte != 0xae && o.byte < 0xc7);
}

// Most instructions have at most a REX in front, and then nothing of what try_quick() has to ask.
// Of length 0: not such a one.
Insn plain(std::span<const uint8_t> bytes, uint64_t address) {
  if (bytes.size() < longest_insn) return {};
  unsigned at = (bytes[0] & 0xf0) == 0x40;
  const bool escape = bytes[at] == 0x0f;
  const uint8_t opcode = bytes[at += escape];
  const auto form = static_cast<Form>((escape ? opcodes::escaped : opcodes::one_byte)[opcode]);
  const auto near = [&](Flow flow, int32_t distance, unsigned length) {
    return Insn{.length = static_cast<uint8_t>(length),
                .flow = flow,
                .has_target = true,
                .target = address + length + static_cast<uint64_t>(int64_t{distance})};
  };
  int32_t distance;
  ++at;
  switch (form) {
    case Form::memory:
      if (bytes[at] >> 6 == 3) return {};
      [[fallthrough]];
    case Form::rm:
    case Form::rm8:
    case Form::rm32: {
      const bool by_rip = (bytes[at] & 0xc7) == 0x05;
      const unsigned immediate = form == Form::rm8 ? 1 : form == Form::rm32 ? 4 : 0;
      return {.length = static_cast<uint8_t>(at + memory_bytes(bytes.subspan(at)) + immediate),
              .rip_at = static_cast<uint8_t>(by_rip ? at + 1 : 0)};
    }
    case Form::near8:
      return near(opcode == 0xeb ? Flow::jump : Flow::branch, static_cast<int8_t>(bytes[at]),
                  at + 1);
    case Form::near32:
      std::memcpy(&distance, &bytes[at], sizeof distance);
      if (escape) return near(Flow::branch, distance, at + 4);
      return near(opcode == 0xe8 ? Flow::call : Flow::jump, distance, at + 4);
    default: return {};
  }
}

}  // namespace

std::optional<Insn> quick_decode(std::span<const uint8_t> bytes, uint64_t address) {
  if (const Insn insn = plain(bytes, address); insn.length) return insn;
  Quick quick;
  if (!try_quick(bytes, quick)) return std::nullopt;
  Insn& insn = quick.insn;
  const Form form = quick.opcode.form;
  if (form != Form::near8 && form != Form::near32 && form != Form::begin) return insn;
  int32_t distance = static_cast<int8_t>(bytes[quick.immediate]);
  if (form != Form::near8) std::memcpy(&distance, &bytes[quick.immediate], sizeof distance);
  insn.has_target = true;
  insn.target = address + insn.length + static_cast<uint64_t>(int64_t{distance});
  return insn;
}

std::optional<bool> quick_is_movable(std::span<const uint8_t> bytes) {
  Quick quick;
  if (!try_quick(bytes, quick) || quick.insn.length != bytes.size()) return std::nullopt;
  if (quick.insn.flow != Flow::next || quick.insn.is_syscall) return false;
  return is_ordinary(quick.opcode) ? std::optional(true) : std::nullopt;
}

std::optional<unsigned> quick_fill(std::span<const uint8_t> bytes) {
  Quick quick;
  if (!try_quick(bytes, quick)) return std::nullopt;
  const Opcode& o = quick.opcode;
  if (o.map || o.vector) return 0;
  const bool is_nop = o.escape ? o.byte == 0x1f && !o.repeat : o.byte == 0x90;
  if (is_nop && (o.extended || o.repeat)) return std::nullopt;
  if (o.escape && o.byte < 0x20 && !is_nop) return std::nullopt;
  return is_nop ? quick.insn.length : 0;
}

}  // namespace sctrace::rewriter
