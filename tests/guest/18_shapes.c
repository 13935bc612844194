// Hazard 18: shapes of code around a syscall that a careless patch would break. Each is called
// often enough to be rewritten by whoever rewrites at the first trap.
#include <stdint.h>
#include "guest.h"

#define SHAPE(name, body)                                                           \
  long name(long);                                                                  \
  __asm__(".text\n.p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name \
          ":\n.cfi_startproc\n" body "\n.cfi_endproc\n.size " #name ", .-" #name "\n")

SHAPE(target_right_after,
      "mov $39, %eax\n jmp 2f\n 1: ret\n 2: syscall\n 3: dec %rdi\n jns 3b\n jmp 1b");
SHAPE(jump_to_the_site,
      "mov $4, %ecx\n mov %rcx, %rdx\n 1: mov $39, %eax\n 2: syscall\n dec %rdx\n"
      "mov $110, %eax\n jnz 2b\n mov $39, %eax\n syscall\n ret");
SHAPE(loop_onto_the_mov, "mov $5, %edx\n 1: mov $39, %eax\n syscall\n dec %edx\n jnz 1b\n ret");
SHAPE(bytes_in_an_immediate, "mov $0x050f050f, %eax\n xor $0x050f0528, %eax\n syscall\n ret");
SHAPE(two_in_four_bytes, "mov $0xffff, %eax\n syscall\n syscall\n mov $39, %eax\n syscall\n ret");
SHAPE(rip_relative_after, "mov $39, %eax\n syscall\n add pid_offset(%rip), %rax\n ret");
SHAPE(rip_relative_before,
      "mov pid_number(%rip), %rax\n lea pid_offset(%rip), %rsi\n syscall\n add (%rsi), %rax\n ret");
SHAPE(flags_across, "stc\n mov $39, %eax\n syscall\n jnc 1f\n ret\n 1: mov $-1, %rax\n ret");
SHAPE(flags_set_before, "cmp $7, %rdi\n mov $39, %eax\n syscall\n jg 1f\n ret\n 1: neg %rax\n ret");
SHAPE(number_from_a_register, "lea 32(%rdi), %eax\n syscall\n ret");
SHAPE(xor_zero, "xor %eax, %eax\n mov $-1, %edi\n syscall\n ret");
SHAPE(push_pop, "push $39\n pop %rax\n syscall\n ret");
SHAPE(call_right_before, "call 1f\n syscall\n ret\n 1: mov $39, %eax\n ret");
SHAPE(tail_jump, "mov $39, %eax\n syscall\n jmp through");
SHAPE(through, "ret");
SHAPE(wide_move, ".byte 0x48, 0xc7, 0xc0, 39, 0, 0, 0\n syscall\n ret");
SHAPE(prefixed, "mov $39, %eax\n .byte 0x48, 0x0f, 0x05\n ret");
SHAPE(ret_only_padding, "mov $39, %eax\n syscall\n ret\n .byte 0x66, 0x90");

int64_t pid_offset __asm__("pid_offset") = 1000;
int64_t pid_number __asm__("pid_number") = 39;

static void check(const char* name, long (*shape)(long), long argument, long expected) {
  int right = 0;
  for (int i = 0; i < 200; i++) right += shape(argument) == expected;
  say("%s %d", name, right);
}

int main(void) {
  long pid = getpid();
  check("target right after", target_right_after, 5, pid);
  check("jump to the site", jump_to_the_site, 0, pid);
  check("loop onto the mov", loop_onto_the_mov, 0, pid);
  check("bytes in an immediate", bytes_in_an_immediate, 0, pid);
  check("two in four bytes", two_in_four_bytes, 0, pid);
  check("rip relative after", rip_relative_after, 0, pid + 1000);
  check("rip relative before", rip_relative_before, 0, pid + 1000);
  check("flags across", flags_across, 0, pid);
  check("flags set before, less", flags_set_before, 3, pid);
  check("flags set before, greater", flags_set_before, 9, -pid);
  check("number from a register", number_from_a_register, 7, pid);
  check("xor zero", xor_zero, 0, -EBADF);
  check("push pop", push_pop, 0, pid);
  check("call right before", call_right_before, 0, pid);
  check("tail jump", tail_jump, 0, pid);
  check("wide move", wide_move, 0, pid);
  check("prefixed", prefixed, 0, pid);
  check("nothing but padding behind", ret_only_padding, 0, pid);
  return 0;
}
