#include "tests/way/step.h"

#include <Zydis/Zydis.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

namespace sctrace::way {
namespace {

uint64_t value_of(ZydisRegister name, const user_regs_struct& r, uint64_t next) {
  switch (ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name)) {
    case ZYDIS_REGISTER_RAX: return r.rax;
    case ZYDIS_REGISTER_RBX: return r.rbx;
    case ZYDIS_REGISTER_RCX: return r.rcx;
    case ZYDIS_REGISTER_RDX: return r.rdx;
    case ZYDIS_REGISTER_RSI: return r.rsi;
    case ZYDIS_REGISTER_RDI: return r.rdi;
    case ZYDIS_REGISTER_RBP: return r.rbp;
    case ZYDIS_REGISTER_RSP: return r.rsp;
    case ZYDIS_REGISTER_R8: return r.r8;
    case ZYDIS_REGISTER_R9: return r.r9;
    case ZYDIS_REGISTER_R10: return r.r10;
    case ZYDIS_REGISTER_R11: return r.r11;
    case ZYDIS_REGISTER_R12: return r.r12;
    case ZYDIS_REGISTER_R13: return r.r13;
    case ZYDIS_REGISTER_R14: return r.r14;
    case ZYDIS_REGISTER_R15: return r.r15;
    case ZYDIS_REGISTER_RIP: return next;
    default: return 0;
  }
}

bool is_touched(const ZydisDecodedOperand& o) {
  return o.type == ZYDIS_OPERAND_TYPE_MEMORY && o.mem.type != ZYDIS_MEMOP_TYPE_AGEN && o.size;
}

void touch(Way& way, const ZydisDecodedInstruction& insn, const ZydisDecodedOperand* operands,
           const user_regs_struct& r) {
  for (unsigned i = 0; i < insn.operand_count; ++i) {
    const ZydisDecodedOperand& o = operands[i];
    if (!is_touched(o)) continue;
    const uint64_t bytes = o.size / 8;
    uint64_t at = value_of(o.mem.base, r, r.rip + insn.length) +
                  value_of(o.mem.index, r, 0) * o.mem.scale +
                  (o.mem.disp.has_displacement ? static_cast<uint64_t>(o.mem.disp.value) : 0);
    if (o.mem.segment == ZYDIS_REGISTER_FS) at += r.fs_base;
    const bool pushes = o.mem.base == ZYDIS_REGISTER_RSP &&
                        o.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
                        o.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
    if (pushes) at -= bytes;
    way.lines.insert(at / 64);
    way.lines.insert((at + bytes - 1) / 64);
  }
}

// It was not the child that set the trap flag: no pushf may show it.
void clear_pushed_trap_flag(pid_t child) {
  user_regs_struct r;
  ptrace(PTRACE_GETREGS, child, 0, &r);
  const auto flags = static_cast<uint64_t>(ptrace(PTRACE_PEEKDATA, child, r.rsp, 0));
  ptrace(PTRACE_POKEDATA, child, r.rsp, flags & ~0x100ull);
}

// With the signal that it stopped with before, which may be the trap's own.
bool step(pid_t child, int& signo) {
  int status;
  ptrace(PTRACE_SINGLESTEP, child, 0, signo);
  if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return false;
  signo = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
  return true;
}

}  // namespace

Way walk(pid_t child, const std::function<void(uint64_t, const char*)>& seen) {
  ZydisDecoder decoder;
  ZydisFormatter formatter;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_ATT);
  Way way;
  uint64_t before = 0;
  int signo = 0;
  for (;;) {
    user_regs_struct r;
    ptrace(PTRACE_GETREGS, child, 0, &r);
    const long code[2] = {ptrace(PTRACE_PEEKTEXT, child, r.rip, 0),
                          ptrace(PTRACE_PEEKTEXT, child, r.rip + 8, 0)};
    if ((code[0] & 0xff) == 0xcc) return way;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, sizeof code, &insn, operands)))
      return way;
    touch(way, insn, operands, r);
    if (r.rip != before) {
      ++way.instructions;
      char text[128];
      ZydisFormatterFormatInstruction(&formatter, &insn, operands, insn.operand_count_visible, text,
                                      sizeof text, r.rip, nullptr);
      if (seen) seen(r.rip, text);
    }
    before = r.rip;
    if (!step(child, signo)) return way;
    if (insn.mnemonic == ZYDIS_MNEMONIC_PUSHFQ) clear_pushed_trap_flag(child);
  }
  return way;
}

}  // namespace sctrace::way
