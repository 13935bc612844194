#include "rewriter/whole.h"

#include <Zydis/Zydis.h>

#include <atomic>

namespace sctrace::rewriter {
namespace {

// Zydis 3 (Ubuntu 22.04) and 4 differ in two names. An include tells them apart: their version is a
// cast, which no #if can read.
#if __has_include(<Zydis/Disassembler.h>)
constexpr auto wide = ZYDIS_STACK_WIDTH_64;
bool decode_with(const ZydisDecoder& decoder, const uint8_t* bytes, ZyanUSize size,
                 ZydisDecodedInstruction& insn) {
  return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, nullptr, bytes, size, &insn));
}
#else
constexpr auto wide = ZYDIS_ADDRESS_WIDTH_64;
bool decode_with(const ZydisDecoder& decoder, const uint8_t* bytes, ZyanUSize size,
                 ZydisDecodedInstruction& insn) {
  return ZYAN_SUCCESS(ZydisDecoderDecodeBuffer(&decoder, bytes, size, &insn));
}
#endif

// Made at their first use: a shared object in somebody's process has no static initialisers. Two
// who make them at once write the same.
enum Depth { lengths_only, whole };
constinit ZydisDecoder decoders[2]{};
constinit std::atomic<bool> made{};

const ZydisDecoder& decoder(Depth depth) {
  if (!made.load(std::memory_order_acquire)) {
    for (ZydisDecoder& d : decoders) ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, wide);
    ZydisDecoderEnableMode(&decoders[lengths_only], ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
    made.store(true, std::memory_order_release);
  }
  return decoders[depth];
}

bool try_decode(Depth depth, std::span<const uint8_t> bytes, ZydisDecodedInstruction& insn) {
  const ZyanUSize size = bytes.size() < longest_insn ? bytes.size() : longest_insn;
  return decode_with(decoder(depth), bytes.data(), size, insn);
}

bool is_rip_relative(const ZydisDecodedInstruction& insn) {
  return insn.raw.modrm.offset && insn.raw.modrm.mod == 0 && insn.raw.modrm.rm == 5 &&
         insn.raw.disp.size == 32;
}

bool has_prefix(const ZydisDecodedInstruction& insn, uint8_t prefix) {
  for (unsigned i = 0; i < insn.raw.prefix_count; ++i)
    if (insn.raw.prefixes[i].value == prefix) return true;
  return false;
}

// ff /4 and ff /5. Through a rip-relative slot it is a jump out of the function, as a PLT entry's.
Flow flow_of_ff(const ZydisDecodedInstruction& insn) {
  switch (insn.raw.modrm.reg) {
    case 2:
    case 3: return Flow::call;
    case 4:
    case 5: return is_rip_relative(insn) ? Flow::stop : Flow::indirect;
    default: return Flow::next;
  }
}

Flow flow_of_one_byte(const ZydisDecodedInstruction& insn) {
  switch (insn.opcode) {
    case 0xe8: return Flow::call;
    case 0xe9:
    case 0xeb: return Flow::jump;
    case 0xff: return flow_of_ff(insn);
    case 0xc2:
    case 0xc3:
    case 0xca:
    case 0xcb:
    case 0xcc:
    case 0xcf:
    case 0xf4: return Flow::stop;
    default: return insn.raw.imm[0].is_relative ? Flow::branch : Flow::next;
  }
}

Flow flow_of(const ZydisDecodedInstruction& insn) {
  if (insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY) return Flow::next;
  if (insn.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT) return flow_of_one_byte(insn);
  if (insn.opcode_map != ZYDIS_OPCODE_MAP_0F) return Flow::next;
  if (insn.opcode == 0x0b || insn.opcode == 0x07) return Flow::stop;  // ud2, sysret
  return insn.raw.imm[0].is_relative ? Flow::branch : Flow::next;
}

}  // namespace

std::optional<Insn> whole_decode(std::span<const uint8_t> bytes, uint64_t address) {
  ZydisDecodedInstruction raw;
  if (!try_decode(lengths_only, bytes, raw)) return std::nullopt;
  Insn insn{.length = raw.length, .flow = flow_of(raw)};
  if (is_rip_relative(raw)) insn.rip_at = raw.raw.disp.offset;
  insn.is_syscall = raw.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
                    raw.opcode_map == ZYDIS_OPCODE_MAP_0F && raw.opcode == 0x05;
  if (raw.raw.imm[0].is_relative) {
    // Intel ignores 66 on a near branch, AMD makes the displacement 16 bits: nobody means either.
    if (has_prefix(raw, 0x66) && !(raw.attributes & ZYDIS_ATTRIB_HAS_REX && raw.raw.rex.W))
      return std::nullopt;
    insn.has_target = true;
    insn.target = address + raw.length + static_cast<uint64_t>(raw.raw.imm[0].value.s);
  }
  return insn;
}

bool is_whole_movable(std::span<const uint8_t> bytes) {
  ZydisDecodedInstruction insn;
  if (!try_decode(whole, bytes, insn) || insn.length != bytes.size()) return false;
  if (insn.raw.imm[0].is_relative) return false;
  if (is_rip_relative(insn) && insn.address_width != 64) return false;
  // uiret and its like, which Zydis 3 has no category for.
  if (insn.opcode_map == ZYDIS_OPCODE_MAP_0F && insn.opcode == 0x01 && has_prefix(insn, 0xf3))
    return false;
  if (has_prefix(insn, 0xf0)) return false;  // programs with one thread jump behind the lock prefix
  switch (insn.meta.category) {
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_CET:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_VTX:
    case ZYDIS_CATEGORY_SGX:
    case ZYDIS_CATEGORY_INVALID: return false;
    default: break;
  }
  switch (insn.mnemonic) {
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2: return false;
    default: return true;
  }
}

bool is_whole_fill(std::span<const uint8_t> bytes, unsigned& length) {
  ZydisDecodedInstruction insn;
  if (!try_decode(whole, bytes, insn)) return false;
  length = insn.length;
  // xchg %ax,%ax is 66 90, which some decoders do not call a nop.
  return insn.mnemonic == ZYDIS_MNEMONIC_NOP ||
         (insn.length == 2 && bytes[0] == 0x66 && bytes[1] == 0x90);
}

}  // namespace sctrace::rewriter
