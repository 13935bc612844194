// Hazard 27: every register but rax, rcx, r11 is the same after a call, flags and vector state too.
#include <cpuid.h>
#include <stdint.h>
#include "guest.h"

struct State {
  uint64_t general[16], flags;
  uint8_t vectors[32 * 64];
  uint64_t masks[8];
  uint32_t mxcsr;
  uint16_t x87;
};

// Loads every register from `in` with patterns, makes call number `nr` (first argument -1 for
// close), and stores every register into `out`.
void call_between(const struct State* in, struct State* out, long nr, long wide);
__asm__(
    ".text\n.globl call_between\n.type call_between, @function\ncall_between:\n"
    "  push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "  push %rsi\n push %rdx\n push %rcx\n push %rdi\n"
    "  test %rcx, %rcx\n jz 1f\n"
    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "  vmovdqu64 136+64*\\n(%rdi), %zmm\\n\n.endr\n"
    ".irp n,1,2,3,4,5,6,7\n  kmovq 2184+8*\\n(%rdi), %k\\n\n.endr\n  jmp 2f\n"
    "1:\n.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n  movdqu 136+64*\\n(%rdi), %xmm\\n\n.endr\n"
    "2: ldmxcsr 2248(%rdi)\n fldcw 2252(%rdi)\n fldpi\n fld1\n"
    "  mov 16(%rsp), %rax\n"
    "  pushq 128(%rdi)\n popfq\n"
    "  mov 8(%rdi), %rbx\n mov 24(%rdi), %rdx\n mov 32(%rdi), %rsi\n mov 48(%rdi), %rbp\n"
    "  mov 64(%rdi), %r8\n mov 72(%rdi), %r9\n mov 80(%rdi), %r10\n mov 96(%rdi), %r12\n"
    "  mov 104(%rdi), %r13\n mov 112(%rdi), %r14\n mov 120(%rdi), %r15\n mov 40(%rdi), %rdi\n"
    "  movq %rax, -8(%rsp)\n movq %rax, -120(%rsp)\n"
    "  syscall\n"
    "  pushfq\n popq %r11\n mov 24(%rsp), %rcx\n mov %r11, 128(%rcx)\n cld\n"
    "  mov %rbx, 8(%rcx)\n mov %rdx, 24(%rcx)\n mov %rsi, 32(%rcx)\n mov %rdi, 40(%rcx)\n mov "
    "%rbp, 48(%rcx)\n"
    "  mov %rax, 0(%rcx)\n"
    "  mov %r8, 64(%rcx)\n mov %r9, 72(%rcx)\n mov %r10, 80(%rcx)\n mov %r12, 96(%rcx)\n"
    "  mov %r13, 104(%rcx)\n mov %r14, 112(%rcx)\n mov %r15, 120(%rcx)\n mov %rcx, %rsi\n"
    "  pushq $0x202\n popfq\n"
    "  stmxcsr 2248(%rsi)\n fnstcw 2252(%rsi)\n fstp %st(0)\n fstp %st(0)\n fninit\n"
    "  cmpq $0, 8(%rsp)\n je 3f\n"
    ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "  vmovdqu64 %zmm\\n, 136+64*\\n(%rsi)\n.endr\n"
    ".irp n,1,2,3,4,5,6,7\n  kmovq %k\\n, 2184+8*\\n(%rsi)\n.endr\n  vzeroupper\n  jmp 4f\n"
    "3:\n.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n  movdqu %xmm\\n, 136+64*\\n(%rsi)\n.endr\n"
    "4: mov (%rsp), %rdi\n pushq $0x1f80\n ldmxcsr (%rsp)\n add $8, %rsp\n"
    "  add $32, %rsp\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n  ret\n"
    ".size call_between, .-call_between\n");
_Static_assert(__builtin_offsetof(struct State, vectors) == 136, "as the assembly has it");
_Static_assert(__builtin_offsetof(struct State, masks) == 2184, "as the assembly has it");
_Static_assert(__builtin_offsetof(struct State, mxcsr) == 2248, "as the assembly has it");
_Static_assert(__builtin_offsetof(struct State, x87) == 2252, "as the assembly has it");

static int has_avx512(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  if (!(b >> 16 & 1) || !(b >> 30 & 1)) return 0;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & 0xe6) == 0xe6;
}

static struct State in, out;

static void compare(const char* name, long nr, long expected, int changes_memory) {
  static const int kept[] = {1, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15};
  static const uint64_t flags[] = {0x202, 0x203, 0x212, 0x246, 0x282, 0xa02, 0x602, 0xed7, 0x40202};
  long wide = has_avx512(), wrong = 0, results = 0, rounds = 0;
  for (unsigned round = 0; round < 200; round++) {
    for (int i = 0; i < 16; i++) in.general[i] = 0x0101010101010101ull * (i + 1) + round;
    in.general[5] = (uint64_t)-1;  // rdi: a descriptor that is none
    if (changes_memory) in.general[4] = in.general[3] = 0;
    in.flags = flags[round % 9];
    for (unsigned i = 0; i < sizeof in.vectors; i++)
      in.vectors[i] = (uint8_t)(i * 7 + round + i / 64);
    for (int i = 0; i < 8; i++) in.masks[i] = 0x1122334455667788ull * i + round;
    in.mxcsr = round & 1 ? 0x1f80 : 0x7fbf;
    in.x87 = round & 1 ? 0x037f : 0x0c7f;
    memset(&out, 0, sizeof out);
    call_between(&in, &out, nr, wide);
    for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++)
      if (in.general[kept[i]] != out.general[kept[i]]) wrong++, say("register %d", kept[i]);
    if ((in.flags ^ out.flags) & 0x40cd5) wrong++, say("flags %lx became %lx", in.flags, out.flags);
    for (int i = 0; i < (wide ? 32 : 16); i++)
      if (memcmp(in.vectors + 64 * i, out.vectors + 64 * i, wide ? 64 : 16))
        wrong++, say("vector %d", i);
    for (int i = 1; wide && i < 8; i++)
      if (in.masks[i] != out.masks[i]) wrong++, say("mask %d", i);
    if (in.mxcsr != out.mxcsr || in.x87 != out.x87) wrong++, say("control words");
    results += expected == 0 ? (long)out.general[0] > 0 : (long)out.general[0] == expected;
    rounds++;
    if (wrong > 10) break;
  }
  say("%s: rounds %ld, results %ld, wrong %ld", name, rounds, results, wrong);
}

int main(void) {
  compare("getppid", SYS_getppid, 0, 0);
  compare("close of nothing", SYS_close, -EBADF, 0);
  compare("sched_yield", SYS_sched_yield, 0, 0);
  compare("no such call", 5000, -ENOSYS, 0);
  compare("write to nothing", SYS_write, -EBADF, 0);
  compare("nanosleep of nothing", SYS_nanosleep, -EFAULT, 0);
  return 0;
}
