/* <sctrace/reader.h>: what happened in a trace, one event after the other. Plain C, in
 * libsctrace-reader; <sctrace/reader.hpp> is the same for C++.
 *
 *   char error[256];
 *   struct sctrace_reader* reader = sctrace_reader_open("trace", 0, error, sizeof error);
 *   if (!reader) ...                                    // `error` says why
 *   for (const struct sctrace_reader_event* event; (event = sctrace_reader_next(reader));)
 *     if (event->kind == SCTRACE_READER_CALL) puts(sctrace_reader_text(reader));
 *   if (sctrace_reader_error(reader)) ...               // it ended early
 *   sctrace_reader_close(reader);
 *
 * Times are nanoseconds of CLOCK_MONOTONIC, sizes are bytes. Text ends with a nul and is never
 * null where not said otherwise; it is bytes as the program passed them, in no certain encoding.
 * What a function returns belongs to the reader and holds until the next sctrace_reader_next() or
 * sctrace_reader_close(). Structs are made by the library alone: later versions may append members,
 * and `size` tells how many there are. A trace that is still written is read as far as it had come
 * when it was opened. Nothing is thrown, printed or exited from. Several readers may be open; each
 * may be used by any thread, but by one at a time. */
#ifndef SCTRACE_READER_H
#define SCTRACE_READER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define SCTRACE_READER_ABI 2
uint32_t sctrace_reader_abi(void); /* that of the library; 2 knows all that is here, 1 no stacks */

struct sctrace_reader;

enum sctrace_reader_kind {
  SCTRACE_READER_CALL = 0,   /* a call that returned, or is known never to */
  SCTRACE_READER_SIGNAL = 1, /* a handler of the program was about to run */
  SCTRACE_READER_BORN = 2,   /* a thread began, or a process with its first one */
  SCTRACE_READER_GONE = 3,   /* a thread ended, or a process with all of its threads */
  SCTRACE_READER_LOST = 4,   /* calls of this thread are missing here */
};

/* Bits of sctrace_reader_event.flags. */
enum {
  SCTRACE_READER_ENDED = 1,     /* CALL: it returned; `result` and `duration` mean something */
  SCTRACE_READER_TIMED = 2,     /* CALL: how long it took is known */
  SCTRACE_READER_FAILED = 4,    /* CALL: `result` is a negative errno */
  SCTRACE_READER_TRAPPED = 8,   /* CALL: came in by SIGSYS, not by a door */
  SCTRACE_READER_INJECTED = 16, /* CALL: answered by an engine, not by the kernel */
  SCTRACE_READER_ALTERED = 32,  /* CALL: an engine changed its arguments or what they point at */
  SCTRACE_READER_PROCESS = 64,  /* BORN, GONE: of a whole process */
  SCTRACE_READER_KILLED = 128,  /* GONE: by the signal in `number` */
  SCTRACE_READER_EXITED = 256,  /* GONE: with the status in `number` */
};

struct sctrace_reader_event {
  uint32_t size; /* of this struct */
  uint32_t kind; /* enum sctrace_reader_kind */
  uint32_t pid, tid;
  uint64_t time;     /* when the call began, or when this happened */
  uint64_t duration; /* CALL: what it took */
  uint32_t flags;
  uint32_t number;   /* CALL: of the system call. SIGNAL: of the signal. BORN: the tid that made it,
                        0 if unknown. GONE: status or signal */
  const char* name;  /* CALL: "openat". SIGNAL: "SIGCHLD". BORN: what the thread is called */
  const char* error; /* CALL: "ENOENT" if it failed so; null if it did not */
  int64_t result;    /* CALL: as the kernel gave it; -4095 to -1 is -errno */
  uint64_t lost;     /* LOST: so many calls; 0: nobody knows how many */
  uint64_t site;     /* CALL: address of the instruction; 0: unknown */
  uint64_t raw[6];   /* CALL: the registers of the arguments */
  uint32_t raw_count; /* so many of them are known */
  uint32_t path_count;
  uint32_t frame_count; /* CALL: of its stack, if one was recorded; 0 in libraries before ABI 2 */
  uint32_t stack;       /* CALL: bits of SCTRACE_READER_STACK_* */
};

enum {
  SCTRACE_READER_STACK_CUT = 1,     /* goes on: as deep as was asked for */
  SCTRACE_READER_STACK_BROKEN = 2,  /* goes on, but nobody knows where */
  SCTRACE_READER_STACK_GUESSED = 4, /* by frame pointers: callers may be missing */
};

/* A caller. Names are those of the files as they are when the trace is read. */
struct sctrace_reader_frame {
  uint32_t size;      /* of this struct */
  uint32_t inlined;   /* not 0: has no code of its own, but is in that of the frames behind it */
  uint64_t address;   /* where it goes on */
  const char* object; /* path of the file that holds it; "" if unknown */
  const char* symbol; /* "" if unknown */
  uint64_t offset;    /* of the address in the symbol or, without one, in the object */
  uint64_t in_file;   /* of the address in the file */
};

enum sctrace_reader_value_kind {
  SCTRACE_READER_ABSENT = 0, /* the call has such an argument, but not this time */
  SCTRACE_READER_NUMBER = 1,
  SCTRACE_READER_STRING = 2,     /* characters: a path, a buffer */
  SCTRACE_READER_WORD = 3,       /* one of a set: `number`, and its word in `text` */
  SCTRACE_READER_WORDS = 4,      /* or'ed: `number`, its parts in the items */
  SCTRACE_READER_ADDRESS = 5,    /* `number`: was not followed, or could not be */
  SCTRACE_READER_DESCRIPTOR = 6, /* `number`; `text` is the file behind it, if that is known */
  SCTRACE_READER_STRUCT = 7,     /* items with names */
  SCTRACE_READER_LIST = 8,
  SCTRACE_READER_SET = 9,    /* signals, descriptors, processors: items */
  SCTRACE_READER_OTHER = 10, /* what C writes as an expression; see sctrace_reader_show() */
};

struct sctrace_reader_value {
  uint32_t size;    /* of this struct */
  uint32_t kind;    /* enum sctrace_reader_value_kind */
  const char* name; /* of a field, or of an argument; may be "" */
  uint64_t number;  /* of a negative one, its two's complement */
  const char* text; /* `length` bytes, nuls among them, and a nul behind */
  uint64_t length;  /* of what is known; `whole` of what there was */
  uint64_t whole;   /* STRING: bytes. LIST: elements */
  uint64_t address; /* where in the program's memory it lay; 0: not in memory, or unknown */
  uint32_t cut;     /* not 0: there was more than is known */
  uint32_t item_count;
  const struct sctrace_reader_value* const* items;
};

/* What a trace does not hold. Complete once sctrace_reader_next() has returned null. */
struct sctrace_reader_losses {
  uint32_t size;        /* of this struct */
  uint32_t uncertain;   /* not 0: durations are a guess, the clock was hardly read */
  uint64_t calls;       /* lost for want of room */
  uint64_t gaps;        /* places where an unknown number of calls is missing */
  uint64_t rolled_over; /* blocks of a flight recorder that newer ones took the place of */
  uint64_t cut;         /* buffers kept shorter than they were */
  uint64_t untraced;    /* calls seen and left alone */
  uint64_t unfinished;  /* calls that never came back, other than those which never do */
  uint64_t damaged;     /* places in the files that make no sense */
};

/* Options of sctrace_reader_open(). */
enum {
  SCTRACE_READER_RAW = 1, /* names and numbers alone, several times as fast: no arguments, paths
                             and text */
};

/* Opens a trace directory. Null where it cannot be read, and in `error` one line that names the
 * file and says why, cut to `error_bytes`; `error` may be null. */
struct sctrace_reader* sctrace_reader_open(const char* directory, uint32_t options, char* error,
                                           size_t error_bytes);
void sctrace_reader_close(struct sctrace_reader*); /* null is fine */

/* The next event, null behind the last one. Calls come when they return, in the order of that, so
 * that the time at which they began may step back between threads, and in one where a handler ran;
 * those that never returned come when this is known: at the end of their thread, or of the trace.
 */
const struct sctrace_reader_event* sctrace_reader_next(struct sctrace_reader*);
const char* sctrace_reader_error(const struct sctrace_reader*); /* null: all is well */

/* Of the event that came last. Null where there is none. */
const struct sctrace_reader_value* sctrace_reader_argument(struct sctrace_reader*, uint32_t n);
/* What the result stands for (a descriptor, an address), where the call did not fail. */
const struct sctrace_reader_value* sctrace_reader_result(struct sctrace_reader*);
/* A file it touched, by name or by descriptor: `path_count` of them. */
const char* sctrace_reader_path(struct sctrace_reader*, uint32_t n);
/* A caller, innermost first: `frame_count` of them. */
const struct sctrace_reader_frame* sctrace_reader_caller(struct sctrace_reader*, uint32_t n);
/* The line of `sctrace print`, without who and when, and no newline behind. */
const char* sctrace_reader_text(struct sctrace_reader*);
/* A value as it stands in that line. */
const char* sctrace_reader_show(struct sctrace_reader*, const struct sctrace_reader_value*);
/* How many characters of a string the two show, 32 at first. */
void sctrace_reader_limit(struct sctrace_reader*, uint64_t characters);

/* Nanoseconds to add to a time for those since 1970. */
int64_t sctrace_reader_wall_offset(const struct sctrace_reader*);
const struct sctrace_reader_losses* sctrace_reader_missing(struct sctrace_reader*);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
