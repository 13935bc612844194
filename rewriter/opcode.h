// Prefixes and opcode of an instruction, and what follows them. Pure; knows no VEX instruction by
// name, only how long they are: one that does not exist faults, and nothing is reached through it.
#pragma once
#include <cstdint>
#include <span>

namespace sctrace::rewriter {

enum class Form : char {
  ask = '?',     // not told here
  none = '.',    // nothing
  imm8 = 'b',    // one byte
  imm16 = 'w',   // two
  imm32 = 'd',   // four; two with 66
  imm64 = 'q',   // four, eight with REX.W; two with 66
  rm = 'm',      // modrm
  rm8 = 'B',     // modrm and one byte
  rm32 = 'D',    // modrm and four; two with 66
  memory = 'l',  // modrm that must be memory
  reg = 'r',     // modrm that must be a register
  reg8 = 'R',    // and one byte
  shift = 's',   // modrm, but /6 has no name;  'S': and one byte
  shift8 = 'S',
  test8 = 't',  // f6: /0 has an immediate, /1 no name
  test32 = 'T',
  mov8 = 'v',  // c6: /0 only
  mov32 = 'V',
  begin = 'A',   // c7 f8: a transaction's, with a branch
  pop = 'P',     // 8f: /0 only
  inc = 'i',     // fe: /0 and /1
  group5 = 'g',  // ff: but /3, /5, /7
  near8 = 'n',   // a branch
  near32 = 'N',
  bits = 'x',     // 0f ba: /4 to /7, and one byte
  vector = 'G',   // 0f 71 to 73: shifts of a register by one byte
  fence = 'e',    // 0f ae: memory, and the three fences
  compare = '9',  // 0f c7: /1 in memory
  number = 'f',   // d8 to df
  syscall = 'y',  // 0f 05
  timer = 'X',    // 0f 01: xgetbv, rdtscp
  endbr = 'E',    // f3 0f 1e: endbr64, endbr32, rdssp
  shadow = 'W',   // f3 0f 01: rstorssp, saveprevssp
  bases = 'a',    // f3 0f ae: those of fs and gs, incssp
};

struct Opcode {
  bool escape = false;  // behind 0f
  uint8_t map = 0;      // 38 or 3a behind that, or 0
  bool operand16 = false, lock = false, wide = false, extended = false;  // REX.W, any REX
  uint8_t repeat = 0;   // f2 or f3, the last of them
  bool vector = false;  // VEX or EVEX
  uint8_t byte = 0;
  Form form = Form::ask;
};

// How many bytes they take; 0: not for us.
unsigned read_opcode(std::span<const uint8_t> bytes, Opcode& opcode);

}  // namespace sctrace::rewriter
