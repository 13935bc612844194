// clone3 by an instruction of its own: the child runs body(value) on the stack of `args`, where it
// can't come back through a frame of its parent's, and exits with what that returns.
#pragma once
#include <linux/sched.h>
#include <stddef.h>

long clone3_onto(struct clone_args* args, size_t size, int (*body)(void*), void* value);
__asm__(
    ".text\n.globl clone3_onto\n.type clone3_onto, @function\nclone3_onto:\n"
    "  mov %rcx, %r8\n  mov $435, %eax\n  syscall\n  test %rax, %rax\n  jz 1f\n  ret\n"
    "1: xor %ebp, %ebp\n  mov %r8, %rdi\n  call *%rdx\n  mov %eax, %edi\n  mov $60, %eax\n  "
    "syscall\n  hlt\n"
    ".size clone3_onto, .-clone3_onto\n");
