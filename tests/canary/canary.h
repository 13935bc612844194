// Calls into memory that is full of one byte: what the kernel changes of it can be seen. A case
// says where a call may write, makes it, and the program prints what was changed there.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { room_bytes = 64 * 1024, place_bytes = 4096 };

// Memory of a case: 16 places of a page each, all of one byte before the case runs.
void* place(int number);
// So many bytes from `at` may be written by the call that comes next. In a place.
void may(void* at, size_t bytes);
// Makes the call, with up to six arguments, and keeps what it changed. Its result, negative errno.
long call(long number, ...);
// For what a case needs beforehand and cannot have here: the case is left out, with the reason.
void leave_out(const char* why);

typedef void Case(void);
struct Named {
  const char* name;
  Case* run;
};
extern const struct Named file_cases[], time_cases[], socket_cases[], process_cases[];
