/* A library of nothing but syscall instructions, a million, in one function that nobody calls. */
        .text
        .globl  candidates
        .type   candidates, @function
candidates:
        .cfi_startproc
        .rept   1000000
        syscall
        .endr
        ret
        .cfi_endproc
        .size   candidates, . - candidates
        .section .note.GNU-stack, "", @progbits
