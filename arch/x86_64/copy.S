/* Copies from and to memory that may not be there: the fault is met by preload/signals.cc, which knows the
 * labels and goes on at the one for a fault. No vector register: rep movsb is as fast from 128 bytes on. */
    .text
    .macro LABEL name
    .globl \name
    .hidden \name
\name:
    .endm

/* size_t sctrace_copy(to, from, n): how many were not copied. */
    .p2align 4
LABEL sctrace_copy
    .cfi_startproc
    movq  %rdx, %rcx
LABEL sctrace_copy_begin
    rep movsb
LABEL sctrace_copy_fault                /* rcx = what is left, also after a fault */
    movq  %rcx, %rax
    ret
    .cfi_endproc

/* long sctrace_copy_string(to, from, n): see frame.h. By words where 8 bytes lie in one page, for then all
 * of them can be read or none; else byte by byte. What is written behind the nul is the caller's to clear. */
    .p2align 4
LABEL sctrace_copy_string
    .cfi_startproc
    movabsq $0x0101010101010101, %r10
    movabsq $0x8080808080808080, %r11
    xorl  %eax, %eax
1:  leaq  (%rsi,%rax), %rcx
    leaq  -1(%rdx), %r9                 /* the last byte wanted, or the page's: whichever comes first */
    orq   $0xfff, %rcx
    subq  %rsi, %rcx
    cmpq  %rcx, %r9
    cmovg %rcx, %r9
    subq  $7, %r9                       /* words begin no later than here */
    cmpq  %r9, %rax
    jg    3f
LABEL sctrace_copy_word_load
    movq  (%rsi,%rax), %rcx
LABEL sctrace_copy_word_store
    movq  %rcx, (%rdi,%rax)
    movq  %rcx, %r8
    notq  %rcx
    subq  %r10, %r8
    andq  %r11, %rcx
    andq  %rcx, %r8                     /* the lowest byte that is 0 is 0x80 now */
    jnz   4f
    addq  $8, %rax
    cmpq  %r9, %rax
    jle   sctrace_copy_word_load
3:  cmpq  %rdx, %rax
    je    2f
LABEL sctrace_copy_string_load
    movzbl (%rsi,%rax), %ecx
LABEL sctrace_copy_string_store
    movb  %cl, (%rdi,%rax)
    testb %cl, %cl
    jz    2f
    incq  %rax
    jmp   1b
4:  bsfq  %r8, %r8
    shrl  $3, %r8d
    addq  %r8, %rax
2:  ret
LABEL sctrace_copy_string_fault
    notq  %rax
    ret
    .cfi_endproc

/* size_t sctrace_probe(at, n): a locked no-change of a byte in each page, so that no store of another thread
 * is lost. 0: all of them may be written. */
    .p2align 4
LABEL sctrace_probe
    .cfi_startproc
    leaq  -1(%rdi,%rsi), %rsi
1:
LABEL sctrace_probe_touch
    lock orb $0, (%rdi)
    orq   $0xfff, %rdi
    incq  %rdi
    jz    2f
    cmpq  %rsi, %rdi
    jbe   1b
    xorl  %eax, %eax
    ret
2:
LABEL sctrace_probe_fault
    movl  $1, %eax
    ret
    .cfi_endproc
    .section .note.GNU-stack, "", @progbits
