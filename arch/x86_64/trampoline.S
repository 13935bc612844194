/* The way of one call: site → stub → here → hook → kernel → hook → site.
 *
 *  in     rax = number; rdi rsi rdx r10 r8 r9 = arguments; r11 = the stub's tail; rcx = dead
 *  out    rax = result; rcx = the stub's tail (which puts the kernel's rcx there); r11 = flags
 *  keeps  every other register, the flags, and every byte of the app's stack: we run on our own
 *
 * While the kernel works, rsp and all registers but rbx are the app's. A signal finds out from the program
 * counter and Frame::phase how far we are (preload/signals.cc): the order of the stores below matters to it.
 */
#include <asm/unistd.h>

#include "arch/x86_64/frame_offsets.h"

    .section .text.sctrace_gate, "ax", @progbits
    .hidden sctrace_enter, sctrace_leave, sctrace_child, sctrace_return_beside
    .macro LABEL name
    .globl \name
    .hidden \name
\name:
    .endm

    .macro LOAD_ARGS offset, base
    movq  \offset+0(\base), %rdi
    movq  \offset+8(\base), %rsi
    movq  \offset+16(\base), %rdx
    movq  \offset+24(\base), %r10
    movq  \offset+32(\base), %r8
    movq  \offset+40(\base), %r9
    .endm
    .macro LOAD_PASS                    /* number and arguments as the kernel is to have them */
    movq  FRAME_PASS(%rbx), %rcx
    movq  FRAME_PASS_NR(%rbx), %rax
    LOAD_ARGS 0, %rcx
    .endm
    .macro SAVED_CFI                    /* all of the app's registers are in the Frame at rbx */
    .cfi_escape 0x0f, 3, 0x73, FRAME_RSP, 0x06            /* CFA = *(rbx + FRAME_RSP) */
    .cfi_escape 0x10, 0x10, 3, 0x73, FRAME_BEHIND_LOW, 1  /* rip at rbx + FRAME_BEHIND */
    .cfi_escape 0x10, 0x03, 2, 0x73, FRAME_RBX            /* rbx at rbx + FRAME_RBX */
    .endm

LABEL sctrace_gate_begin

    .p2align 6
LABEL sctrace_trampoline
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_def_cfa rsp, 0
    .cfi_register rip, r11
    movq  sctrace_self@gottpoff(%rip), %rcx
LABEL sctrace_fs_touched
    movq  %fs:8(%rcx), %rcx             /* lea and jrcxz: the flags are not ours yet */
    leaq  -SEAL(%rcx), %rcx
    jrcxz 1f
LABEL sctrace_slow
    leaq  -2(%r11), %r11                /* no state of ours here: let the stub's own syscall trap */
LABEL sctrace_slow_jump
    jmp   *%r11
1:  movq  sctrace_self@gottpoff(%rip), %rcx
    movq  %fs:(%rcx), %rcx
    movl  FRAME_PHASE(%rcx), %ecx
    jrcxz 1f
    jmp   sctrace_beside
LABEL sctrace_is_free
1:  movq  sctrace_self@gottpoff(%rip), %rcx
    movq  %fs:(%rcx), %rcx
    movl  $PHASE_ENTERING, FRAME_PHASE(%rcx)   /* a handler that is not ours may come: its calls go beside */
    movl  $0, FRAME_DOOR(%rcx)
    movq  %r11, FRAME_TAIL(%rcx)
    movq  %rbx, FRAME_RBX(%rcx)
    movq  %rcx, %rbx
LABEL sctrace_rbx_is_ours
LABEL sctrace_common                    /* trapped calls come in here, rbx, door and tail set */
    movq  %rsp, FRAME_RSP(%rbx)
    movq  %rbx, %rsp
LABEL sctrace_rsp_is_ours
    pushfq
    popq  FRAME_FLAGS(%rbx)
    movq  %rax, FRAME_NR(%rbx)
    movq  %rdi, FRAME_ARGS+0(%rbx)
    movq  %rsi, FRAME_ARGS+8(%rbx)
    movq  %rdx, FRAME_ARGS+16(%rbx)
    movq  %r10, FRAME_ARGS+24(%rbx)
    movq  %r8, FRAME_ARGS+32(%rbx)
    movq  %r9, FRAME_ARGS+40(%rbx)
    movq  %rbp, FRAME_RBP(%rbx)
    movq  %r12, FRAME_R12(%rbx)
    movq  %r13, FRAME_R13(%rbx)
    movq  %r14, FRAME_R14(%rbx)
    movq  %r15, FRAME_R15(%rbx)
    movl  $PHASE_ENTERING, FRAME_PHASE(%rbx)
LABEL sctrace_saved
    .cfi_endproc
    .cfi_startproc simple
    .cfi_signal_frame
    SAVED_CFI
    testl $(EFLAGS_TF | EFLAGS_DF | EFLAGS_AC), FRAME_FLAGS(%rbx)
    jnz   .Lodd_flags
.Lenter:
    movq  %rbx, %rdi
    call  sctrace_enter
    testl %eax, %eax
    jnz   .Lroutes
    movq  FRAME_NR(%rbx), %rax
    LOAD_ARGS FRAME_ARGS, %rbx
.Lrun:
    movq  FRAME_RSP(%rbx), %rsp
LABEL sctrace_site
    syscall
LABEL sctrace_returned
    movq  %rbx, %rsp
    movq  %rax, FRAME_RESULT(%rbx)
    movl  $PHASE_RETURNED, FRAME_PHASE(%rbx)
LABEL sctrace_result_saved
    testl $(EFLAGS_TF | EFLAGS_DF | EFLAGS_AC), FRAME_FLAGS(%rbx)
    jnz   .Lodd_flags_again
.Lleave:
    movq  %rbx, %rdi
    call  sctrace_leave
.Lback:
    LOAD_ARGS FRAME_ARGS, %rbx
    movq  FRAME_FLAGS(%rbx), %r11
    testl $(EFLAGS_TF | EFLAGS_DF | EFLAGS_AC), %r11d
    jnz   .Lrestore_odd_flags
    movl  %r11d, %eax                   /* OF by an addition, the other five by sahf: popf costs 8 ns */
    shrl  $11, %eax
    andl  $1, %eax
    addb  $0x7f, %al
    movb  FRAME_FLAGS(%rbx), %ah
    sahf
.Lgo:
    movq  FRAME_RESULT(%rbx), %rax
    movq  FRAME_RSP(%rbx), %rsp
    movq  FRAME_TAIL(%rbx), %rcx
    .cfi_def_cfa rsp, 0
    .cfi_register rip, rcx
    movq  FRAME_RBX(%rbx), %rbx
    .cfi_same_value rbx
    jmp   *%rcx
    .cfi_endproc

    .cfi_startproc simple
    .cfi_signal_frame
    SAVED_CFI
.Lodd_flags:                            /* the ABI wants DF clear; AC would make our own words fault; a */
                                        /* step that TF asks for kills where all signals are blocked */
    pushq $0x202
    popfq
    jmp   .Lenter
.Lodd_flags_again:
    pushq $0x202
    popfq
    jmp   .Lleave
.Lrestore_odd_flags:
    pushq %r11
    popfq
    jmp   .Lgo

.Lroutes:
    cmpl  $ROUTE_PASS, %eax
    je    .Lpass
    cmpl  $ROUTE_SKIP, %eax
    je    .Lskip
    cmpl  $ROUTE_AROUND, %eax
    je    .Laround
    cmpl  $ROUTE_CHILD, %eax
    je    .Lchild
    movl  FRAME_FLAGS(%rbx), %ecx       /* ROUTE_RETURN_FROM_SIGNAL: of them the kernel keeps NT and ID */
    andl  $~(EFLAGS_TF | EFLAGS_DF | EFLAGS_AC), %ecx
    pushq %rcx
    popfq
    movq  FRAME_PASS(%rbx), %rsp        /* there lies the frame */
    movl  $15, %eax
    movl  $PHASE_LEFT, FRAME_PHASE(%rbx)
LABEL sctrace_sigreturn_site            /* as special as before it */
    syscall
    hlt                                 /* a bad frame kills us before this */
.Lpass:
    LOAD_PASS
    jmp   .Lrun
.Lskip:
    movl  $PHASE_RETURNED, FRAME_PHASE(%rbx)
    jmp   .Lleave

/* clone, fork, vfork. Two come back. The child goes on from a Frame of its own, which the parent filled:
 * it must not look at the parent's, which lives on. */
.Lchild:
    LOAD_PASS
    movq  FRAME_CHILD(%rbx), %rbp
    movq  FRAME_RSP(%rbx), %rsp
LABEL sctrace_child_site
    syscall
LABEL sctrace_child_returned
    testq %rax, %rax
    jz    1f
    movq  FRAME_RBP(%rbx), %rbp
    jmp   sctrace_returned
1:  movq  %rbp, %rbx
    movq  %rsp, FRAME_RSP(%rbx)         /* clone may have given it another stack */
    movq  %rbx, %rsp
    movq  %rbx, %rdi
    call  sctrace_child
    movq  FRAME_RBP(%rbx), %rbp
    movq  FRAME_R12(%rbx), %r12
    movq  FRAME_R13(%rbx), %r13
    movq  FRAME_R14(%rbx), %r14
    movq  FRAME_R15(%rbx), %r15
    jmp   .Lback
    .cfi_endproc
#include "arch/x86_64/around.inc"
#include "arch/x86_64/beside.inc"
LABEL sctrace_trampoline_end

/* long sctrace_raw_syscall(number, a, b, c, d, e, f) */
    .p2align 4
LABEL sctrace_raw_syscall
    .cfi_startproc
    movq  %rdi, %rax
    movq  %rsi, %rdi
    movq  %rdx, %rsi
    movq  %rcx, %rdx
    movq  %r8, %r10
    movq  %r9, %r8
    movq  8(%rsp), %r9
    syscall
    ret
    .cfi_endproc

/* long sctrace_call_on(rsp, number, a, b): a call with another stack pointer, all signals blocked. */
LABEL sctrace_call_on
    .cfi_startproc
    movq  %rsp, %r9
    .cfi_def_cfa_register r9
    movq  %rdi, %rsp
    movq  %rsi, %rax
    movq  %rdx, %rdi
    movq  %rcx, %rsi
    syscall
    movq  %r9, %rsp
    .cfi_def_cfa_register rsp
    ret
    .cfi_endproc

/* uint64_t sctrace_fault_for_mask(mask, block): the fault is met by preload/signals.cc, which puts the mask
 * and, unless block is 0, our alternate stack into its own frame, and answers the mask before. */
LABEL sctrace_fault_for_mask
    .cfi_startproc
    hlt
    ret
    .cfi_endproc
/* void sctrace_fault_for_signal(): meets the signal that waits in ThreadState::deferred_info. */
LABEL sctrace_fault_for_signal
    .cfi_startproc
    hlt
    ret
    .cfi_endproc
/* What the kernel calls for every signal that has a handler, ours or the app's: on our own stack, all
 * signals blocked. rdi = number, rsi = siginfo, rdx = ucontext; rsp → return address (sctrace_restorer). */
    .hidden sctrace_on_signal
    .p2align 4
LABEL sctrace_deliver
    .cfi_startproc simple
    .cfi_def_cfa rsp, 8                 /* gdb dies of a frame without one */
    .cfi_undefined rip
    pushq %rdi
    pushq %rsi
    pushq %rdx
    testl $EFLAGS_AC, 176(%rdx)         /* the kernel leaves it as it was: what we do need not be aligned */
    jz    3f
    pushfq
    andl  $~EFLAGS_AC, (%rsp)
    popfq
3:  call  sctrace_on_signal
    popq  %rdx
    popq  %rsi
    popq  %rdi
    testq %rax, %rax
    jnz   1f
    ret
1:  testl $EFLAGS_AC, 176(%rdx)         /* the app's handler: as natively */
    jz    2f
    pushfq
    orl   $EFLAGS_AC, (%rsp)
    popfq
2:  jmp   *%rax
    .cfi_endproc

LABEL sctrace_restorer
    movq  $15, %rax                     /* these bytes are how gdb knows a signal frame */
    syscall
    hlt
LABEL sctrace_deliver_end

#include "arch/x86_64/lent.inc"
#include "arch/x86_64/int80.inc"
LABEL sctrace_gate_end

    .section .note.GNU-stack, "", @progbits
