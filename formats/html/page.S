/*  The files of the page, each from its label to its _end. The build tells the folder by -I.  */
        .section .rodata
        .macro FILE label, name
        .globl  \label, \label\()_end
\label:
        .incbin "\name"
\label\()_end:
        .byte   0
        .endm

        FILE    sctrace_page_html, "page.html"
        FILE    sctrace_page_css, "page.css"
        FILE    sctrace_page_js, "page.js"
        FILE    sctrace_page_timeline, "timeline.js"
        FILE    sctrace_page_heat, "heat.js"
        FILE    sctrace_page_flame, "flame.js"
        FILE    sctrace_page_tables, "tables.js"
        FILE    sctrace_page_live, "live.js"

        .section .note.GNU-stack, "", @progbits
