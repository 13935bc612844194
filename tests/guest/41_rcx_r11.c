// Hazard 41: after a call, rcx is the address of the next instruction and r11 the flags.
#include "guest.h"

struct After {
  unsigned long rcx, r11, flags, next;
};
void call_and_look(long nr, struct After* after);
__asm__(
    ".text\n.globl call_and_look\n.type call_and_look, @function\ncall_and_look:\n.cfi_startproc\n"
    "  mov %rsi, %r8\n  mov %edi, %eax\n  mov $-1, %rdi\n  cmp $5, %eax\n  syscall\n"
    "1: mov %rcx, 0(%r8)\n  mov %r11, 8(%r8)\n  pushfq\n.cfi_adjust_cfa_offset 8\n  popq 16(%r8)\n"
    ".cfi_adjust_cfa_offset -8\n  lea 1b(%rip), %rcx\n  mov %rcx, 24(%r8)\n  ret\n.cfi_endproc\n"
    ".size call_and_look, .-call_and_look\n");
void number_known(long, struct After* after);
__asm__(
    ".text\n.globl number_known\n.type number_known, @function\nnumber_known:\n.cfi_startproc\n"
    "  mov %rsi, %r8\n  cmp $5, %edi\n  mov $39, %eax\n  syscall\n"
    "1: mov %rcx, 0(%r8)\n  mov %r11, 8(%r8)\n  pushfq\n.cfi_adjust_cfa_offset 8\n  popq 16(%r8)\n"
    ".cfi_adjust_cfa_offset -8\n  lea 1b(%rip), %rcx\n  mov %rcx, 24(%r8)\n  ret\n.cfi_endproc\n"
    ".size number_known, .-number_known\n");

static void look(const char* name, void (*call)(long, struct After*), long nr) {
  int rcx = 0, r11 = 0;
  for (int i = 0; i < 50; i++) {
    struct After after;
    call(nr, &after);
    rcx += after.rcx == after.next;
    r11 += after.r11 == after.flags;
  }
  say("%s: rcx %d, r11 %d", name, rcx, r11);
}

int main(void) {
  look("getpid", call_and_look, SYS_getpid);
  look("failing close", call_and_look, SYS_close);
  look("no such call", call_and_look, 6000);
  look("sched_yield", call_and_look, SYS_sched_yield);
  look("number known", number_known, 3);
  return 0;
}
