#include "rewriter/quick.h"

#include <cstring>

namespace sctrace::rewriter {
namespace {

// What follows an opcode. Anything with a special case that is not told here is `ask`: ask the
// whole decoder.
enum Form : char {
  ask = '?',
  none = '.',   // nothing
  imm8 = 'b',   // one byte
  imm32 = 'd',  // four
  imm64 = 'q',  // four, eight with REX.W
  rm = 'm',     // modrm
  rm8 = 'B',    // modrm and one byte
  rm32 = 'D',   // modrm and four
  lea = 'l',    // modrm that must be memory
  shift = 's',  // modrm, but /6 has no name;  'S': and one byte
  shift8 = 'S',
  test8 = 't',  // f6: /0 has an immediate, /1 no name
  test32 = 'T',
  mov8 = 'v',  // c6: /0 only
  mov32 = 'V',
  inc = 'i',     // fe: /0 and /1
  group5 = 'g',  // ff: but /3, /5, /7
  near8 = 'n',   // a branch
  near32 = 'N',
  bits = 'x',  // 0f ba: /4 to /7, and one byte
};

// clang-format off
//                              0123456789abcdef
constexpr char one_byte[] =    "mmmmbd??mmmmbd??"   // 0
                               "mmmmbd??mmmmbd??"   // 1
                               "mmmmbd??mmmmbd??"   // 2
                               "mmmmbd??mmmmbd??"   // 3
                               "????????????????"   // 4  REX
                               "................"   // 5
                               "???m????dDbB????"   // 6
                               "nnnnnnnnnnnnnnnn"   // 7
                               "BD?Bmmmmmmmm?l??"   // 8
                               "..........??????"   // 9
                               "????..??bd......"   // a
                               "bbbbbbbbqqqqqqqq"   // b
                               "SS?.??vV?.??.???"   // c
                               "ssss????????????"   // d
                               "????????NN?n????"   // e
                               "??????tT??????ig";  // f
constexpr char two_byte[] =    "????????????????"   // 0
                               "mm?????????????m"   // 1
                               "????????mm??????"   // 2
                               "????????????????"   // 3
                               "mmmmmmmmmmmmmmmm"   // 4
                               "?m??????mm??m?m?"   // 5
                               "???????????????m"   // 6
                               "???????????????m"   // 7
                               "NNNNNNNNNNNNNNNN"   // 8
                               "mmmmmmmmmmmmmmmm"   // 9
                               "???mBm?????mBm?m"   // a
                               "mm?m??mm??xmmmmm"   // b
                               "mm??????........"   // c
                               "????????????????"   // d
                               "????????????????"   // e
                               "????????????????";  // f
// clang-format on
static_assert(sizeof one_byte == 257 && sizeof two_byte == 257);

// Bytes of modrm, sib and displacement.
unsigned memory_bytes(std::span<const uint8_t> at) {
  const unsigned mod = at[0] >> 6, base = at[0] & 7;
  if (mod == 3) return 1;
  if (base != 4) return mod == 1 ? 2 : mod == 2 || base == 5 ? 5 : 1;
  if (at.size() < 2) return longest_insn;
  return mod == 1 ? 3 : mod == 2 || (at[1] & 7) == 5 ? 6 : 2;
}

struct Opcode {
  bool escaped = false;  // behind 0f
  bool operand16 = false, repeat = false, wide = false;
  uint8_t byte = 0;
  Form form = ask;
};

// Prefixes and opcode: how many bytes they take, 0 when that is not for us.
unsigned read_opcode(std::span<const uint8_t> bytes, Opcode& opcode) {
  unsigned at = 0;
  for (; at < 4 && at < bytes.size(); ++at) {
    const uint8_t b = bytes[at];
    if (b == 0x66)
      opcode.operand16 = true;
    else if (b == 0xf2 || b == 0xf3)
      opcode.repeat = true;
    else if (b != 0x2e && b != 0x3e && b != 0x64)
      break;
  }
  if (at < bytes.size() && (bytes[at] & 0xf0) == 0x40) opcode.wide = bytes[at++] & 8;
  if (at < bytes.size() && bytes[at] == 0x0f) opcode.escaped = true, ++at;
  if (at >= bytes.size()) return 0;
  opcode.byte = bytes[at++];
  opcode.form = static_cast<Form>((opcode.escaped ? two_byte : one_byte)[opcode.byte]);
  return at;
}

// A prefix chooses another instruction, or a shorter operand: only where that changes nothing for
// us.
bool is_plain(const Opcode& o) {
  if (o.repeat) {
    const bool string = o.byte >= 0xa4 && o.byte <= 0xaf && o.form == none;  // a8, a9 are tests
    if (!o.escaped) return string || (o.byte == 0xc3 && !o.operand16);
    const bool sse = o.byte == 0x10 || o.byte == 0x11 || o.byte == 0x51 || o.byte == 0x58 ||
                     o.byte == 0x59 || o.byte == 0x5c || o.byte == 0x5e;
    return sse && !o.operand16;
  }
  if (!o.operand16) return true;
  switch (o.form) {
    case imm32:
    case imm64:
    case rm32:
    case test32:
    case mov32:
    case near8:
    case near32: return false;
    default: return o.byte != 0xc3 && o.byte != 0xc9 && (!o.escaped || o.byte < 0xc8);
  }
}

bool is_named(Form form, unsigned reg, unsigned mod) {
  switch (form) {
    case lea: return mod != 3;
    case shift:
    case shift8: return reg != 6;
    case test8:
    case test32: return reg != 1;
    case mov8:
    case mov32: return reg == 0;
    case inc: return reg <= 1;
    case group5: return reg != 3 && reg != 5 && reg != 7;
    case bits: return reg >= 4;
    default: return true;
  }
}

unsigned immediate_bytes(Form form, unsigned reg, bool wide) {
  switch (form) {
    case imm8:
    case rm8:
    case shift8:
    case mov8:
    case near8:
    case bits: return 1;
    case imm32:
    case rm32:
    case mov32:
    case near32: return 4;
    case imm64: return wide ? 8 : 4;
    case test8: return reg == 0;
    case test32: return reg == 0 ? 4 : 0;
    default: return 0;
  }
}

bool has_modrm(Form form) {
  switch (form) {
    case none:
    case imm8:
    case imm32:
    case imm64:
    case near8:
    case near32: return false;
    default: return true;
  }
}

Flow flow_of(const Opcode& o, uint8_t modrm) {
  if (o.escaped) return o.form == near32 ? Flow::branch : Flow::next;
  switch (o.byte) {
    case 0xc3:
    case 0xcc: return Flow::stop;
    case 0xe8: return Flow::call;
    case 0xe9:
    case 0xeb: return Flow::jump;
    case 0xff:
      if ((modrm >> 3 & 7) == 2) return Flow::call;
      if ((modrm >> 3 & 7) == 4) return (modrm & 0xc7) == 5 ? Flow::stop : Flow::indirect;
      return Flow::next;
    default: return o.form == near8 ? Flow::branch : Flow::next;
  }
}

}  // namespace

std::optional<Insn> quick_decode(std::span<const uint8_t> bytes, uint64_t address) {
  Opcode opcode;
  unsigned at = read_opcode(bytes, opcode);
  if (!at || opcode.form == ask || !is_plain(opcode)) return std::nullopt;
  uint8_t modrm = 0, rip_at = 0;
  if (has_modrm(opcode.form)) {
    if (at >= bytes.size()) return std::nullopt;
    modrm = bytes[at];
    if (!is_named(opcode.form, modrm >> 3 & 7, modrm >> 6)) return std::nullopt;
    if ((modrm & 0xc7) == 0x05) rip_at = static_cast<uint8_t>(at + 1);
    at += memory_bytes(bytes.subspan(at));
  }
  const unsigned immediate = at;
  at += immediate_bytes(opcode.form, modrm >> 3 & 7, opcode.wide);
  if (at > bytes.size() || at > longest_insn) return std::nullopt;
  Insn insn{.length = static_cast<uint8_t>(at), .flow = flow_of(opcode, modrm), .rip_at = rip_at};
  if (opcode.form != near8 && opcode.form != near32) return insn;
  int32_t distance = static_cast<int8_t>(bytes[immediate]);
  if (opcode.form == near32) std::memcpy(&distance, &bytes[immediate], sizeof distance);
  insn.has_target = true;
  insn.target = address + at + static_cast<uint64_t>(int64_t{distance});
  return insn;
}

}  // namespace sctrace::rewriter
