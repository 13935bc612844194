/* <sctrace/engine.h>: engines, which see each system call of a program before the kernel and after
 * it, and may answer it, change it or hold it up. Plain C, for shared libraries named in
 * SCTRACE_ENGINE=LIB[=ARGS]:...
 *
 * A library shows one object, `const struct sctrace_engine sctrace_engine`. It is loaded before the
 * program's own first instruction, and never unloaded. Several engines nest as layers do: entry()
 * runs from the last named to the first, so that the first has the last word; exit(), signal() and
 * life() run in the order of their names.
 *
 * WHAT A CALLBACK MAY DO. It runs in the thread that made the call, in the middle of it, with 24
 * KiB of stack.
 *   - Any code, SSE and AVX too; system calls of its own, by call() or by libc. They are not
 * traced, are seen by no engine, and errno is as it was afterwards. Of libc: what is
 * async-signal-safe. Not malloc, not stdio.
 *   - Not clone, fork, exec, exit of the thread, nor what changes signal masks, actions or stacks,
 * prctl and seccomp: these answer -ENOSYS.
 *   - No long jump out of it. A fault in it (SIGSEGV, SIGBUS) switches the engine off, in one line;
 * the call goes on as it was before that callback.
 *   - Signals of the program wait until it returns; the first of them cuts a blocking call of its
 * own by EINTR.
 *   - Several threads may be in it at once. It must not wait for another thread of the program.
 *   - It isn't called for rt_sigreturn; and, unless it is SCTRACE_BARE, in threads whose fs is not
 * libc's. In a sandbox of the program's (seccomp) its own calls meet the program's filter.
 * A call that a signal's handler comes before is made again after the handler: entry() is
 * asked again then, with SCTRACE_AGAIN in the flags, and there was no exit() in between. */
#ifndef SCTRACE_ENGINE_H
#define SCTRACE_ENGINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCTRACE_ENGINE_ABI 1

/* What shall become of a call. */
enum sctrace_choice {
  SCTRACE_RUN = 0, /* it is made, as number and args say */
  SCTRACE_SKIP =
      1, /* it is not made, the program sees `result`; exit() is called as if it had been */
  SCTRACE_STOP =
      2, /* the thread waits. Once somebody says report() for it, entry() is asked again
            (SCTRACE_REPORTED), so that the choice is made afresh. Signals reach it meanwhile. */
};

/* Bits of sctrace_call.flags. */
enum {
  SCTRACE_AGAIN = 1,    /* the same call was asked before, and a signal's handler came first */
  SCTRACE_REPORTED = 2, /* the second or a later round, after SCTRACE_STOP and report() */
  SCTRACE_SKIPPED = 4,  /* at exit: the kernel was not asked */
};

struct sctrace_call {
  uint32_t size;  /* of this struct in bytes; a later version's is longer */
  uint32_t flags; /* SCTRACE_AGAIN ... */
  int32_t pid, tid;
  uint64_t site;  /* address of the instruction that called */
  int64_t number; /* what is done. entry() may change it, and args; at exit() they are to be read
                     only */
  uint64_t args[6];
  int64_t result; /* entry: the answer of SCTRACE_SKIP. exit: what the program will see. -4095..-1:
                     -errno */
  int64_t asked;  /* the number as the program called it */
  uint64_t asked_args[6]; /* and its arguments */
  uint64_t word; /* the engine's own: what entry() leaves here, exit() of the same call finds */
};

struct sctrace_signal {
  uint32_t size;
  int32_t pid, tid;
  int32_t number;   /* 1..64. signal() may change it */
  const void* info; /* siginfo_t, 128 bytes */
  uint64_t address; /* where it interrupts the program */
};

enum sctrace_event {
  SCTRACE_PROGRAM = 0, /* this program has begun; the engine has been opened just now */
  SCTRACE_THREAD = 1,  /* this thread was born; `other` is the tid that made it */
  SCTRACE_PROCESS = 2, /* this process was born by fork or vfork; `other` is the tid that made it */
  SCTRACE_EXEC = 3,    /* is about to execute another program, `what` is its path */
  SCTRACE_EXEC_FAILED = 4,
  SCTRACE_THREAD_GONE = 5,  /* is about to exit; `status` is its status */
  SCTRACE_PROCESS_GONE = 6, /* the same of all its threads: exit_group */
};

struct sctrace_life {
  uint32_t size;
  int32_t event; /* enum sctrace_event */
  int32_t pid, tid, other, status;
  uint64_t what; /* an address in the program */
};

/* What the library does for an engine. All may be called in callbacks; those without a call, in
 * open() too. */
struct sctrace_services {
  uint32_t abi;
  uint32_t size;
  /* Copies of the program's memory that survive any address. 0, or -EFAULT; then some of it may be
   * copied. */
  int (*read)(void* to, uint64_t address, uint64_t bytes);
  int (*write)(struct sctrace_call*, uint64_t address, const void* from, uint64_t bytes);
  /* A string with its nul. Its length, -EFAULT, or -ENAMETOOLONG if `bytes` don't hold it. */
  long (*read_string)(char* to, uint64_t address, uint64_t bytes);
  /* So many bytes that arguments may point at until exit() has been called; null if they are used
     up. 2048 a call, of all engines. */
  void* (*keep)(struct sctrace_call*, uint64_t bytes);
  /* A system call of the engine's own, as the kernel answers it. */
  long (*call)(long number, long a, long b, long c, long d, long e, long f);
  /* At exit(): the registers as they were at entry, so as if the instruction had done nothing. */
  void (*rollback)(struct sctrace_call*);
  /* Wakes a thread that an engine stopped: entry() is asked again there. 0, or -ESRCH: no such
     thread. One that is about to stop does not stop then. */
  int (*report)(int32_t tid);
  /* One line to where the library speaks, "sctrace: " in front. */
  void (*say)(const char* text);
  /* Signal `number` comes to this thread when the call is over; 0 takes that back. */
  void (*raise)(struct sctrace_call*, int32_t number);
  /* By number in SCTRACE_TRACE's words ("openat", "%file,!read"); in open() only. 0, or -EINVAL.
     Without it the engine sees all calls; those that no engine wants cost nothing. */
  int (*want)(const char* calls);
  /* The number of a name, -1 if there is none. */
  long (*number_of)(const char* name);
};

enum {
  SCTRACE_BARE = 1 /* entry, exit, signal and life touch no vector register and no thread-local
                      variable (errno is one): compiled with -mgeneral-regs-only, calling nothing
                      but the services. Saves some 300 ns a call. A fault in it is the program's. */
};

struct sctrace_engine {
  uint32_t abi;     /* SCTRACE_ENGINE_ABI */
  uint32_t size;    /* sizeof(struct sctrace_engine) */
  uint32_t flags;   /* SCTRACE_BARE */
  const char* name; /* for what is said about it */
  /* Once, before the program runs. args: what stands behind the = in SCTRACE_ENGINE, or "". *data
     is given to all the others. Any libc may be used. 0, or -errno: the program runs without this
     engine, which is said. Null: none. */
  int (*open)(const char* args, const struct sctrace_services* services, void** data);
  /* Each is given the choice made so far and answers its own, which is `choice` if it has no wish.
   * May be null. */
  enum sctrace_choice (*entry)(void* data, struct sctrace_call*, enum sctrace_choice choice);
  void (*exit)(void* data, struct sctrace_call*);
  /* A handler of the program is about to run. SCTRACE_RUN: let it; SCTRACE_SKIP: the signal is
     dropped, unless it is a fault. Signals without a handler are not seen. */
  enum sctrace_choice (*signal)(void* data, struct sctrace_signal*, enum sctrace_choice choice);
  void (*life)(void* data, const struct sctrace_life*);
};

#ifdef __cplusplus
}
#endif
#endif
