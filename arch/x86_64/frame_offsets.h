/* Offsets into Frame (frame.h) for assembly. frame.h static_asserts every one. */
#define FRAME_RBX 0
#define FRAME_RSP 8
#define FRAME_TAIL 16
#define FRAME_FLAGS 24
#define FRAME_NR 32
#define FRAME_ARGS 40
#define FRAME_RBP 88
#define FRAME_R12 96
#define FRAME_R13 104
#define FRAME_R14 112
#define FRAME_R15 120
#define FRAME_RESULT 128
#define FRAME_PHASE 136
#define FRAME_DOOR 140
#define FRAME_BEHIND 144
#define FRAME_BEHIND_LOW 0x90 /* 144 in SLEB128 is 90 01 */
#define FRAME_PASS 152
#define FRAME_PASS_NR 160
#define FRAME_CHILD 168

/* Of a ThreadState, which begins with its Frame: thread.h static_asserts it. */
#define STATE_BESIDE 264
#define BESIDE_TAIL (STATE_BESIDE + 0)
#define BESIDE_BIRTH_TAIL (STATE_BESIDE + 8)
#define BESIDE_CALLS (STATE_BESIDE + 16)

/* Of a signal frame's context: sigframe.h. */
#define CONTEXT_REGISTERS 40
#define CONTEXT_FLAGS 176
#define CONTEXT_FPSTATE 224
#define CONTEXT_MASK 296

#define PHASE_LEFT 0 /* what is not 0 the trampoline leaves alone */
#define PHASE_ENTERING 1
#define PHASE_ENTERED 2
#define PHASE_RETURNED 3
#define PHASE_SPECIAL 4

#define ROUTE_RUN 0
#define ROUTE_SKIP 1
#define ROUTE_CHILD 2
#define ROUTE_RETURN_FROM_SIGNAL 3
#define ROUTE_PASS 4
#define ROUTE_AROUND 5

/* What a thread of ours keeps beside the pointer to its state: whoever changes fs does not have it.
 */
#define SEAL 0x5c7ace01
#define EFLAGS_TF 0x100
#define EFLAGS_DF 0x400
#define EFLAGS_AC 0x40000
