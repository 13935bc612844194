/*  The table as text, as arch/describe.cc wrote it: the library gives it to every trace that it
 *  begins, the command reads those that have none by it.                                          */
        .section .rodata, "a"
        .balign 16
        .globl  sctrace_metadata, sctrace_metadata_end
        .hidden sctrace_metadata, sctrace_metadata_end
        .type   sctrace_metadata, @object
sctrace_metadata:
        .incbin METADATA
sctrace_metadata_end:
        .byte   0
        .size   sctrace_metadata, sctrace_metadata_end - sctrace_metadata
        .section .note.GNU-stack, "", @progbits
