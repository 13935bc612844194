#include "preload/filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>

#include "arch/x86_64/frame.h"
#include "preload/capture.h"

namespace sctrace::preload {
namespace {

constexpr uint32_t words = BPF_MEMWORDS;

struct Machine {
  uint32_t a = 0, x = 0, memory[words] = {};
  seccomp_data call{};
  bool looked = false;  // at more than number and architecture
};

uint32_t load(Machine& machine, const sock_filter& step) {
  switch (BPF_MODE(step.code)) {
    case BPF_IMM: return step.k;
    case BPF_MEM: return machine.memory[step.k % words];
    case BPF_LEN: return sizeof machine.call;
    default: break;
  }
  uint32_t word = 0;
  if (step.k >= offsetof(seccomp_data, instruction_pointer)) machine.looked = true;
  if (step.k <= sizeof machine.call - 4)
    __builtin_memcpy(&word, reinterpret_cast<const char*>(&machine.call) + step.k, 4);
  return word;
}

uint32_t compute(uint32_t a, uint32_t b, uint16_t code) {
  switch (BPF_OP(code)) {
    case BPF_ADD: return a + b;
    case BPF_SUB: return a - b;
    case BPF_MUL: return a * b;
    case BPF_DIV: return b ? a / b : 0;
    case BPF_OR: return a | b;
    case BPF_AND: return a & b;
    case BPF_LSH: return b < 32 ? a << b : 0;
    case BPF_RSH: return b < 32 ? a >> b : 0;
    case BPF_XOR: return a ^ b;
    case BPF_NEG: return -a;
    default: return a;
  }
}

bool jumps(uint32_t a, uint32_t b, uint16_t code) {
  switch (BPF_OP(code)) {
    case BPF_JEQ: return a == b;
    case BPF_JGT: return a > b;
    case BPF_JGE: return a >= b;
    default: return a & b;  // BPF_JSET
  }
}

// One step; how many to pass over.
uint32_t step_over(Machine& machine, const sock_filter& step) {
  const uint32_t other = BPF_SRC(step.code) == BPF_X ? machine.x : step.k;
  switch (BPF_CLASS(step.code)) {
    case BPF_LD: machine.a = load(machine, step); break;
    case BPF_LDX: machine.x = load(machine, step); break;
    case BPF_ST: machine.memory[step.k % words] = machine.a; break;
    case BPF_STX: machine.memory[step.k % words] = machine.x; break;
    case BPF_ALU: machine.a = compute(machine.a, other, step.code); break;
    case BPF_JMP:
      if (BPF_OP(step.code) == BPF_JA) return step.k;
      return jumps(machine.a, other, step.code) ? step.jt : step.jf;
    default:  // BPF_MISC
      if (BPF_MISCOP(step.code) == BPF_TXA)
        machine.a = machine.x;
      else
        machine.x = machine.a;
  }
  return 0;
}

}  // namespace

Verdict verdict_of(uint64_t fprog, uint32_t nr) {
  sock_fprog program;
  if (!read_app(&program, fprog, sizeof program)) return Verdict::yes;
  Machine machine;
  machine.call.nr = static_cast<int>(nr);
  machine.call.arch = AUDIT_ARCH_X86_64;
  machine.call.instruction_pointer = reinterpret_cast<uint64_t>(sctrace_gate_end);
  const auto first = reinterpret_cast<uint64_t>(program.filter);
  for (uint64_t at = 0; at < program.len; ++at) {  // jumps lead forward only
    sock_filter step;
    if (!read_app(&step, first + at * sizeof step, sizeof step)) return Verdict::yes;
    if (BPF_CLASS(step.code) != BPF_RET) {
      at += step_over(machine, step);
      continue;
    }
    const uint32_t answer = BPF_RVAL(step.code) == BPF_A ? machine.a : step.k;
    const uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
    const bool allowed = action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
    if (machine.looked) return Verdict::depends;
    return allowed ? Verdict::yes : Verdict::no;
  }
  return Verdict::yes;
}

}  // namespace sctrace::preload
