/* Vector registers kept around work that uses them (aside.h), and a way out of it. */
    .text
    .macro LABEL name
    .globl \name
    .hidden \name
\name:
    .endm

/* int sctrace_aside(void (*work)(void*), void* what, void** escape): runs work with the app's vector
 * registers saved, in 16 KiB of this stack. A fault meanwhile may be led to sctrace_aside_fault with
 * rsp = *escape, and then it answers 1. */
    .set  ASIDE_BYTES, 16384
    .p2align 4
LABEL sctrace_aside
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    movq  %rsp, %rbp
    .cfi_def_cfa_register rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    .cfi_rel_offset rbx, -8
    .cfi_rel_offset r12, -16
    .cfi_rel_offset r13, -24
    .cfi_rel_offset r14, -32
    .cfi_rel_offset r15, -40
    subq  $ASIDE_BYTES, %rsp
    andq  $-64, %rsp
    movq  %rsp, %r12
    movq  %rdi, %r13
    movq  %rsi, %r14
    movq  %rdx, %r15
    leaq  512(%r12), %rax               /* the header: what is not written of it has to be 0 */
    xorl  %ecx, %ecx
    .irp  word, 0, 8, 16, 24, 32, 40, 48, 56
    movq  %rcx, \word(%rax)             /* rep stosq: 12 ns */
    .endr
    movl  $-1, %eax
    movl  $-1, %edx
    cmpb  $0, sctrace_aside_compact(%rip)
    jne   2f
    xsave64 (%r12)
3:  pushq %r15                          /* what a fault finds at rsp */
    pushq %rbp
    movq  %rsp, (%r15)
    movq  %r14, %rdi
    call  *%r13
    xorl  %ebx, %ebx
1:  movq  $0, (%r15)
    movl  $-1, %eax
    movl  $-1, %edx
    xrstor64 16(%rsp)
    movl  %ebx, %eax
    leaq  -40(%rbp), %rsp
    popq  %r15
    popq  %r14
    popq  %r13
    popq  %r12
    popq  %rbx
    popq  %rbp
    .cfi_remember_state
    .cfi_def_cfa rsp, 8
    ret
    .cfi_restore_state
2:  xsavec64 (%r12)                     /* only what is in use; xrstor sees that it is so */
    jmp   3b
LABEL sctrace_aside_fault
    .cfi_def_cfa rbp, 16
    movq  (%rsp), %rbp
    movq  8(%rsp), %r15
    movl  $1, %ebx
    jmp   1b
    .cfi_endproc

    .bss
    .hidden sctrace_aside_compact
    .globl sctrace_aside_compact
    .type sctrace_aside_compact, @object
    .size sctrace_aside_compact, 1
sctrace_aside_compact:
    .zero 1

/* sctrace_self: the thread's state, and the seal that says that it is. */
    .section .tbss, "awT", @nobits
    .p2align 4
    .hidden sctrace_self
    .globl sctrace_self
    .type sctrace_self, @object
    .size sctrace_self, 16
sctrace_self:
    .zero 16
    .section .note.GNU-stack, "", @progbits
