#include "rewriter/opcode.h"

#include "rewriter/insn.h"
#include "rewriter/opcodes.h"

namespace sctrace::rewriter {
namespace {

using namespace opcodes;

// Of the maps behind 0f 38 and 0f 3a, what there was before VEX.
Form form_behind_map(const Opcode& o) {
  const auto in = [&](const auto& table) {
    return o.byte < sizeof table - 1 ? static_cast<Form>(table[o.byte]) : Form::ask;
  };
  if (o.repeat) return Form::ask;
  if (o.map == 0x38) return o.operand16 ? in(map_66_38) : in(map_38);
  return o.operand16 ? in(map_66_3a) : Form::ask;
}

Form form_of(const Opcode& o) {
  if (o.map) return form_behind_map(o);
  if (!o.escape) return static_cast<Form>(one_byte[o.byte]);
  if (o.repeat && o.operand16) return Form::ask;
  if (o.repeat == 0xf3) return static_cast<Form>(with_f3[o.byte]);
  if (o.repeat == 0xf2) return static_cast<Form>(with_f2[o.byte]);
  return static_cast<Form>((o.operand16 ? with_66 : escaped)[o.byte]);
}

// What follows an opcode of the maps that VEX (1 to 3) and EVEX (5 and 6 besides) choose among.
Form form_of_vector(unsigned map, uint8_t opcode, bool is_vex) {
  if (map == 3) return Form::rm8;
  if (map == 2 || (!is_vex && (map == 5 || map == 6))) return Form::rm;
  if (map != 1) return Form::ask;
  if (opcode == 0x77) return is_vex ? Form::none : Form::ask;
  const bool immediate =
      (opcode & 0xfc) == 0x70 || opcode == 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6);
  return immediate ? Form::rm8 : Form::rm;
}

unsigned read_vector(std::span<const uint8_t> bytes, unsigned at, Opcode& opcode) {
  const uint8_t first = bytes[at];
  const unsigned prefix = first == 0xc5 ? 2 : first == 0xc4 ? 3 : 4;
  if (bytes.size() - at <= prefix) return 0;
  const unsigned map = first == 0xc5 ? 1 : bytes[at + 1] & (first == 0xc4 ? 0x1f : 0x07);
  // Two bits of EVEX that are fixed.
  if (first == 0x62 && ((bytes[at + 1] & 8) || !(bytes[at + 2] & 4))) return 0;
  opcode.vector = true;
  // Xeon Phi once had branches there, which would be no instruction anywhere else.
  const uint8_t form = bytes[at + prefix];
  if (map == 1 &&
      ((form & 0xf0) == 0x80 || ((form & 0xfe) == 0x74 && !(bytes[at + prefix - 1] & 3))))
    return 0;
  opcode.byte = bytes[at + prefix];
  opcode.form = form_of_vector(map, opcode.byte, first != 0x62);
  return at + prefix + 1;
}

}  // namespace

unsigned read_opcode(std::span<const uint8_t> bytes, Opcode& opcode) {
  unsigned at = 0;
  for (; at < longest_insn && at < bytes.size(); ++at) {
    const uint8_t b = bytes[at];
    if (b == 0x66)
      opcode.operand16 = true;
    else if (b == 0xf2 || b == 0xf3)
      opcode.repeat = b;
    else if (b == 0xf0)
      opcode.lock = true;
    else if (b != 0x2e && b != 0x3e && b != 0x64 && b != 0x65)
      break;
  }
  if (!opcode.operand16 && !opcode.repeat && !opcode.lock && at < bytes.size() &&
      (bytes[at] == 0xc4 || bytes[at] == 0xc5 || bytes[at] == 0x62))
    return read_vector(bytes, at, opcode);
  if (at < bytes.size() && (bytes[at] & 0xf0) == 0x40)
    opcode.extended = true, opcode.wide = bytes[at++] & 8;
  if (at < bytes.size() && bytes[at] == 0x0f) opcode.escape = true, ++at;
  if (opcode.escape && at < bytes.size() && (bytes[at] == 0x38 || bytes[at] == 0x3a))
    opcode.map = bytes[at++];
  if (at >= bytes.size()) return 0;
  opcode.byte = bytes[at++];
  opcode.form = form_of(opcode);
  return at;
}

}  // namespace sctrace::rewriter
